import { BatchRefused, type ModelWriter } from '../connectors/index.ts';
import { NotPassing } from './suspects.ts';
import { SyncFailed } from './sync-failed.ts';

/** Whether a refusal is for what the batch contains; false where the destination cannot be asked. */
export type TiedToContent = (error: BatchRefused) => Promise<boolean>;

/** After so many of a kind it is asked again: its table may have gone meanwhile. */
const askAgain = 200;

/**
 * Has the destination do the same with nothing, once for each kind of refusal.
 *
 * @throws SyncFailed when it refuses that, too.
 */
export function tiedToContent({ tryEmpty }: Pick<ModelWriter, 'tryEmpty'>): TiedToContent {
  const known = new Map<string, number>();
  return async (error) => {
    if (!error.unsure) return true;
    if (tryEmpty === undefined || error instanceof NotPassing) return false;
    const { kind } = error;
    const count = known.get(kind) ?? 0;
    known.set(kind, count + 1);
    if (count % askAgain !== 0) return true;
    try {
      await tryEmpty();
    } catch (empty) {
      known.delete(kind);
      if (!(empty instanceof BatchRefused)) return false;
      throw new SyncFailed(`The target refuses any record: ${empty.message}`, { cause: error });
    }
    return true;
  };
}
