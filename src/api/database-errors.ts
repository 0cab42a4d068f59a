import { isConnectionFailure, schemaName } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';

/** SQLSTATEs of values that passed every check and still cannot be kept: the request is at fault, not we. */
const unstorableValues: Record<string, string> = {
  '22003': 'A number is out of range',
  '22007': 'A timestamp is not valid',
  '22008': 'A timestamp is out of range',
  '22021': 'A text contains a NUL character, which cannot be stored',
  '22P05': 'A text contains a NUL character or half a surrogate pair, which cannot be stored',
  '54000': 'A text is too long for what it is searched by',
};

/** What a request runs into that others make at the same moment: a net below the locks that keep most of it away. */
const races: Record<string, 'conflict' | 'gone_meanwhile'> = {
  '23503': 'gone_meanwhile',
  '23505': 'conflict',
};

/** The server has no room, ended the statement or chose it as the one to give up: it may be tried again. */
const passing = /^(53|55P03|57014|40001|40P01|25006)/;

/** What a failure of a statement on the metadata database means to whoever asked; undefined for a fault of ours. */
export function databaseError(error: Error): TidemarkError | undefined {
  const { code, schema, constraint } = error as { code?: unknown; schema?: unknown; constraint?: unknown };
  if (isConnectionFailure(error)) {
    return new TidemarkError('unavailable', { reason: 'The database does not answer' }, { cause: error });
  }
  if (typeof code !== 'string') return undefined;
  const unstorable = unstorableValues[code];
  if (unstorable !== undefined) return new TidemarkError('bad_request', { reason: unstorable });
  const race = schema === schemaName ? races[code] : undefined;
  if (race !== undefined) {
    return new TidemarkError(race, { constraint: String(constraint) }, { cause: error });
  }
  if (!/^[0-9A-Z]{5}$/.test(code) || !passing.test(code)) return undefined;
  return new TidemarkError('unavailable', { reason: 'The database cannot do this now' }, { cause: error });
}
