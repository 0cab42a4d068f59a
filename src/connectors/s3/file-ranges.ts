import type { JsonObject } from '../../lib/json.ts';
import type { BulkRange } from '../contract.ts';

/**
 * Neighbouring files together until they have enough rows.
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
    ranges.push({ id: String(ranges.length), bounds: { files: together } });
    together = [];
    count = 0;
  });
  return ranges.length < 2 ? [] : ranges;
}
