import { TidemarkError } from '../errors.ts';
import type { BulkTarget, LoadPlan } from './contract.ts';

/**
 * What Tidemark did not make it does not touch unless the sync says what is to become of it. To be asked before a load,
 * and once more in what makes its rows live: hours lie between the two.
 *
 * @param stranger what stands there, for people; undefined: nothing, or a table of Tidemark's.
 * @throws not_ours
 */
export function checkStranger(
  { schema, name }: BulkTarget,
  { strangers }: Pick<LoadPlan, 'strangers'>,
  stranger: string | undefined,
): void {
  if (stranger === undefined || strangers !== undefined) return;
  throw new TidemarkError('not_ours', { table: `${schema}.${name}`, stranger });
}
