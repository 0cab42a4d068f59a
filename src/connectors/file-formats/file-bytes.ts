import { TidemarkError } from '../../errors.ts';

/** The bytes of a text file without its byte order mark and first lines. @throws for what is not UTF-8. */
export async function* textBytes(
  chunks: AsyncIterable<Buffer>,
  name: string,
  skipLines: number,
): AsyncGenerator<Buffer> {
  let left = skipLines;
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (let chunk of chunks) {
    if (first !== undefined) {
      chunk = Buffer.concat([first, chunk]);
      first = chunk.length < 3 ? chunk : undefined;
      if (first !== undefined) continue;
      chunk = withoutMark(chunk, name);
    }
    while (left > 0) {
      const end = chunk.indexOf(0x0a);
      chunk = end < 0 ? Buffer.alloc(0) : chunk.subarray(end + 1);
      if (end < 0) break;
      left--;
    }
    if (chunk.length > 0) yield chunk;
  }
  if (first !== undefined && first.length > 0 && left === 0) yield first;
}

function withoutMark(chunk: Buffer, name: string): Buffer {
  if (chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) return chunk.subarray(3);
  const mark = chunk.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff) throw notUtf8(name, 'is UTF-16');
  return chunk;
}

export function notUtf8(name: string, what = 'is not UTF-8'): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${name} ${what}; convert it to UTF-8` });
}
