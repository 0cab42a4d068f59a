import { expectRows } from '../row-counts.ts';
import { countRows } from './copy-text-rows.ts';

/**
 * A file's rows, held against what was counted in it before: by the look that found its types, or by its footer.
 *
 * @throws rows_differ
 */
export async function* allRows(
  rows: AsyncIterable<Buffer>,
  name: string,
  counted: number,
): AsyncGenerator<Buffer> {
  let found = 0;
  for await (const chunk of rows) {
    found += countRows(chunk);
    yield chunk;
  }
  expectRows(name, counted, found);
}
