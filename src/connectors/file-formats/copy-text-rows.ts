import { isUtf8 } from 'node:buffer';
import { TidemarkError } from '../../errors.ts';

const newline = 0x0a;
/** Bytes a row may have: a quoted field that never ends must not fill the memory. */
const longestRow = 1024 * 1024 * 1024;

/**
 * COPY text cut anywhere → the same in pieces that end with a row, checked to be UTF-8.
 *
 * @param name what the file is called in a message. @param cut the last row may end anywhere, and is left out then.
 */
export async function* wholeRows(
  chunks: AsyncIterable<Buffer>,
  name: string,
  cut = false,
): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let size = 0;
  let rows = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) {
      if (chunk.length === 0) continue;
      size += chunk.length;
      if (size > longestRow) throw broken(name, `row ${rows + 1} is longer than ${longestRow} bytes`);
      rest.push(chunk);
      continue;
    }
    const whole =
      rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = end < chunk.length ? [chunk.subarray(end)] : [];
    size = chunk.length - end;
    const before = rows;
    rows += countRows(whole);
    if (!isUtf8(whole))
      throw broken(name, `row ${before + firstBadRow(whole)} is not UTF-8; convert the file to it`);
    yield whole;
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
