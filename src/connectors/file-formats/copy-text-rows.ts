import { isUtf8 } from 'node:buffer';
import { TidemarkError } from '../../errors.ts';

const newline = 0x0a;
/** Bytes a row may have: a quoted field that never ends must not fill the memory. */
const longestRow = 1024 * 1024 * 1024;

/**
 * COPY text cut anywhere → the same in pieces that end with a row, checked to be UTF-8.
 *
 * @param name what the file is called in a message.
 * @param options.cut the last row may end anywhere, and is left out then.
 * @param options.recycle takes a chunk back, where nobody keeps a piece once the next one is asked for.
 */
export async function* wholeRows(
  chunks: AsyncIterable<Buffer>,
  name: string,
  { cut = false, recycle }: { cut?: boolean; recycle?: ((chunk: Buffer) => void) | undefined } = {},
): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let size = 0;
  let rows = 0;
  const checked = (whole: Buffer) => {
    if (!isUtf8(whole))
      throw broken(
        name,
        `row ${rows + firstBadRow(whole)} is not UTF-8: name the encoding in the configuration`,
      );
    rows += countRows(whole);
    return whole;
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    let start = 0;
    if (end > 0 && rest.length > 0) {
      // Only the row that was cut is put together: the others stay where they are.
      start = chunk.indexOf(newline) + 1;
      const first = Buffer.concat([...rest, chunk.subarray(0, start)]);
      rest = [];
      yield checked(first);
    }
    if (end > start) yield checked(chunk.subarray(start, end));
    if (end > 0) size = 0;
    const tail = chunk.subarray(end);
    size += tail.length;
    if (size > longestRow) throw broken(name, `row ${rows + 1} is longer than ${longestRow} bytes`);
    if (tail.length > 0) rest.push(recycle === undefined ? tail : Buffer.from(tail));
    recycle?.(chunk);
  }
  if (size > 0 && !cut) throw broken(name, `row ${rows + 1} is cut off`);
}

export function countRows(bytes: Uint8Array): number {
  let rows = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) rows++;
  return rows;
}

function firstBadRow(bytes: Buffer): number {
  for (let row = 1, from = 0; ; row++) {
    const end = bytes.indexOf(newline, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return row;
    from = end + 1;
  }
}

function broken(name: string, what: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `${name}: ${what}` });
}
