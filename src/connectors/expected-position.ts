import { isDeepStrictEqual } from 'node:util';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkTarget, LoadPlan } from './contract.ts';

/**
 * To be asked once it is the load's turn: of two that begin at the same time, the second must not take the rows of the
 * first for rows that are gone.
 *
 * @throws unprocessable when the table was written since its position was read.
 */
export function checkExpected(
  { schema, name }: BulkTarget,
  { expects }: LoadPlan,
  position: JsonObject | undefined,
): void {
  if (expects === undefined || isDeepStrictEqual(position ?? null, expects)) return;
  throw new TidemarkError('unprocessable', {
    reason: `${schema}.${name} was written by another execution at this moment: run it again, or give each bulk sync a schema of its own`,
  });
}

/**
 * To be asked when the rows are about to become live. Those of a merge are changes of the table that was there: by
 * themselves they are not the table.
 *
 * @param was whether the table was there when the load began.
 * @throws unprocessable when it is gone.
 */
export function checkStillThere({ schema, name }: BulkTarget, was: boolean, is: boolean): void {
  if (!was || is) return;
  throw new TidemarkError('unprocessable', {
    reason: `${schema}.${name} was dropped while its rows were loaded: run it again`,
  });
}
