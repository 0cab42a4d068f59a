import { TidemarkError } from '../../errors.ts';

/** Bytes that tell UTF-16 without a mark from UTF-8. */
const headLength = 256;

export interface ByteOptions {
  skipLines?: number;
  encoding?: string | undefined;
  /** The file goes on: it may end within a character. */
  cut?: boolean | undefined;
}

/**
 * The bytes of a text file as UTF-8, without its byte order mark and first lines. UTF-16 is known by its mark, or by the
 * NULs that plain characters have in it; what it is not said to be is taken for UTF-8 and checked by who reads it.
 *
 * @param options.encoding by a name that the Encoding standard knows.
 * @throws unprocessable for what is not in the encoding.
 */
export async function* textBytes(
  chunks: AsyncIterable<Buffer>,
  name: string,
  { skipLines = 0, encoding, cut = false }: ByteOptions,
): AsyncGenerator<Buffer> {
  let left = skipLines;
  let afterReturn = false;
  for await (let chunk of decoded(chunks, name, encoding, cut)) {
    if (afterReturn && chunk[0] === 0x0a) chunk = chunk.subarray(1);
    afterReturn = false;
    while (left > 0 && chunk.length > 0) {
      const end = lineEnd(chunk);
      if (end < 0) chunk = chunk.subarray(chunk.length);
      else {
        left--;
        afterReturn = chunk[end] === 0x0d && end + 1 === chunk.length;
        const isPair = chunk[end] === 0x0d && chunk[end + 1] === 0x0a;
        chunk = chunk.subarray(end + (isPair ? 2 : 1));
      }
    }
    if (chunk.length > 0) yield chunk;
  }
}

function lineEnd(chunk: Buffer): number {
  const [newline, carriageReturn] = [chunk.indexOf(0x0a), chunk.indexOf(0x0d)];
  return newline < 0 || (carriageReturn >= 0 && carriageReturn < newline) ? carriageReturn : newline;
}

async function* decoded(
  chunks: AsyncIterable<Buffer>,
  name: string,
  encoding: string | undefined,
  cut: boolean,
): AsyncGenerator<Buffer> {
  let decode: ((chunk?: Buffer) => Buffer) | undefined;
  let head: Buffer | undefined = Buffer.alloc(0);
  const begin = (bytes: Buffer) => {
    const is = encoding?.toLowerCase() ?? utf16Of(bytes) ?? 'utf-8';
    if (!/^utf-?8$/.test(is)) decode = decoder(is, name);
    const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return decode === undefined ? bytes.subarray(mark ? 3 : 0) : decode(bytes);
  };
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield decode === undefined ? chunk : decode(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < headLength) continue;
    yield begin(head);
    head = undefined;
  }
  if (head !== undefined) yield begin(head);
  // What was cut off within a character.
  if (decode !== undefined && !cut) yield decode();
}

function utf16Of(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const mark = head.length < 2 ? 0 : head.readUInt16BE(0);
  if (mark === 0xfffe) return 'utf-16le';
  if (mark === 0xfeff) return 'utf-16be';
  const start = head.subarray(0, headLength);
  const nuls = [0, 0];
  start.forEach((byte, index) => {
    if (byte === 0) nuls[index % 2] = (nuls[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = nuls;
  const half = start.length / 2;
  if (even === 0 && odd > half * 0.7) return 'utf-16le';
  return odd === 0 && even > half * 0.7 ? 'utf-16be' : undefined;
}

function decoder(encoding: string, name: string): (chunk?: Buffer) => Buffer {
  // The standard's own reading of this name is windows-1252.
  if (/^(iso-?8859-1|latin-?1)$/.test(encoding)) {
    return (chunk = Buffer.alloc(0)) => Buffer.from(chunk.toString('latin1'));
  }
  const decoding = textDecoder(encoding);
  return (chunk) => {
    try {
      return Buffer.from(chunk === undefined ? decoding.decode() : decoding.decode(chunk, { stream: true }));
    } catch {
      throw new TidemarkError('unprocessable', { reason: `${name} is not ${encoding}: name its encoding` });
    }
  };
}

function textDecoder(encoding: string) {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new TidemarkError('unprocessable', { reason: `encoding: ${encoding} is not known` });
  }
}

export function notUtf8(name: string, what = 'is not UTF-8'): TidemarkError {
  return new TidemarkError('unprocessable', {
    reason: `${name} ${what}: name its encoding in the configuration`,
  });
}
