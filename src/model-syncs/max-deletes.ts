import type { ModelDestination } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Task } from './task.ts';

/** Where the sync says nothing: of a target with more rows than these. */
const usual = { share: 50, above: 100 };

/** How many rows of the target an execution may delete, by a count of those there are. */
export interface DeleteLimit {
  rows: number;
  limit: number;
}

/** Undefined where there is no limit: rows that cannot be counted have no share. */
export async function deleteLimit(
  destination: ModelDestination,
  { target, maxDeletes = null }: Task,
): Promise<DeleteLimit | undefined> {
  const rows = await (await destination.life?.(target))?.rows?.();
  if (rows === undefined || !Number.isFinite(rows)) {
    const limit = maxDeletes === null || maxDeletes.endsWith('%') ? undefined : Number(maxDeletes);
    return limit === undefined ? undefined : { rows: Number.NaN, limit };
  }
  if (maxDeletes === null) {
    return rows > usual.above ? { rows, limit: share(rows, usual.share) } : undefined;
  }
  return {
    rows,
    limit: maxDeletes.endsWith('%') ? share(rows, Number.parseFloat(maxDeletes)) : Number(maxDeletes),
  };
}

const share = (rows: number, percent: number) => Math.floor((rows * percent) / 100);

/** @throws too_many_deletes */
export function checkDeletes(deletes: number, limit: DeleteLimit | undefined): void {
  if (limit === undefined || deletes <= limit.limit) return;
  throw new TidemarkError('too_many_deletes', {
    deletes: `at least ${deletes}`,
    rows: Number.isNaN(limit.rows) ? 'unknown number of' : String(limit.rows),
    limit: String(limit.limit),
  });
}
