import { TidemarkError } from '../errors.ts';
import { type CopyRow, decodeCopyText } from '../lib/copy-text.ts';

/** Bytes of the rows of a sample, all together: they are in memory at once, and a page for people to look at. */
export const sampledAtMost = 16 * 1024 * 1024;

/** Bytes of COPY text, which end as soon as there are too many: a single row may be larger than memory. */
export async function* sampled(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > sampledAtMost) throw tooLarge();
    yield chunk;
  }
}

export async function sampledRows(chunks: AsyncIterable<Buffer>): Promise<CopyRow[]> {
  return (await Array.fromAsync(decodeCopyText(sampled(chunks)))).flat();
}

export function tooLarge(): TidemarkError {
  const size = sampledAtMost / 1024 / 1024;
  const reason = `the first records are larger than ${size} MiB together: leave out large fields, or cut them in a query, e.g. left(notes, 1000)`;
  return new TidemarkError('invalid_query', { reason });
}
