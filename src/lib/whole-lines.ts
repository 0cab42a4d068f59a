const newline = 0x0a;

/** Where each of whole lines begins, and where its newline is. */
export function* eachLine(lines: Buffer): Generator<[start: number, end: number]> {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(newline, start);
    yield [start, end];
    start = end + 1;
  }
}

/**
 * Bytes that are cut anywhere → the same, cut behind newlines. What comes after the last newline is left out. A chunk is
 * not needed any more when the next is asked for, and nor may what is given be.
 */
export async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) {
      rest.push(Buffer.from(chunk));
      continue;
    }
    // The line that was cut stands alone, so that the others need not be copied.
    const start = rest.length === 0 ? 0 : chunk.indexOf(newline) + 1;
    if (start > 0) yield Buffer.concat([...rest, chunk.subarray(0, start)]);
    if (start < end) yield chunk.subarray(start, end);
    rest = end < chunk.length ? [Buffer.from(chunk.subarray(end))] : [];
  }
}
