import { createHash } from 'node:crypto';
import type { JsonObject } from '../../lib/json.ts';
import type { BulkRange } from '../contract.ts';

/**
 * Neighbouring files together until they have enough rows. A range's id says which files these are, so that what is
 * stored of one is never taken for another cut of the table.
 *
 * @param files what names each of them, and its rows.
 */
export function fileRanges(files: readonly { is: JsonObject; rows: number }[], rows: number): BulkRange[] {
  const ranges: BulkRange[] = [];
  let together: JsonObject[] = [];
  let count = 0;
  files.forEach((file, index) => {
    together.push(file.is);
    count += file.rows;
    if (count < rows && index < files.length - 1) return;
    const id = createHash('sha256').update(JSON.stringify(together)).digest('hex').slice(0, 32);
    ranges.push({ id, bounds: { files: together } });
    together = [];
    count = 0;
  });
  return ranges.length < 2 ? [] : ranges;
}
