import { invalidField, type TidemarkError } from '../../errors.ts';
import { orMeant } from '../../lib/near-name.ts';

/** Tables among which one is looked for that a name means. */
export const mostKnown = 10_000;

/** @param known ids of the tables and views that there are. */
export function noTable(id: string, known: readonly string[]): TidemarkError {
  return invalidField('configuration', `there is no table or view ${id}${orMeant(id, known)}`);
}
