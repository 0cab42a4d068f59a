const newline = 0x0a;

/** Bytes that are cut anywhere → the same, cut behind newlines. What comes after the last newline is left out. */
export async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0)
      yield rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]);
    if (end === 0) rest.push(chunk);
    else rest = end < chunk.length ? [chunk.subarray(end)] : [];
  }
}
