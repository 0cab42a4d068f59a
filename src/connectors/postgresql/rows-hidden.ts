import pg from 'pg';
import { messageOf, TidemarkError } from '../../errors.ts';

/**
 * What to say of a read that policies would have hidden rows from; undefined for any other error. The server's words for it
 * are those of its language, the place in its code that says so is always the same.
 */
export function rowsHidden(error: unknown): TidemarkError | undefined {
  const isHidden =
    error instanceof pg.DatabaseError && error.code === '42501' && error.routine === 'check_enable_rls';
  return isHidden
    ? new TidemarkError('rows_hidden', { reason: messageOf(error) }, { cause: error })
    : undefined;
}
