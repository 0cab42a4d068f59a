import { messageOf } from '../../errors.ts';
import { BatchRefused, Contended } from '../contract.ts';
import { isServerError } from './errors.ts';

/** SQLSTATE classes that the content of a batch is to blame for, errors that triggers raise included. */
const contentStates = /^(22|23|44|45)/;
/** Answers of that kind without a state of their own: a record too long to be sent, bad values, no default, checks. */
const contentErrors = new Set([1153, 1264, 1265, 1292, 1364, 1366, 1406, 3819, 4025]);

/** A lock that was not given in time, a deadlock. */
const contention = new Set([1205, 1213]);

/** Where the server says it happened: the row is one of the statement, and the table may be one of Tidemark's own. */
const place = /for column (?:`.+?`\.`_tidemark_\w+`\.)?([`'])(.+?)\1 at row \d+/;

/** The error as it is, or as the batch's fault. @param staged what columns are called in the target, if otherwise. */
export function refusedOr(error: unknown, staged?: ReadonlyMap<string, string>): unknown {
  if (!isServerError(error)) return error;
  if (contention.has(error.errno)) return new Contended(messageOf(error), { cause: error });
  const isContent = contentStates.test(error.sqlState) || contentErrors.has(error.errno);
  if (!isContent) return error;
  const [where, , column = ''] = place.exec(error.message) ?? [];
  const reason =
    where === undefined
      ? messageOf(error)
      : `${staged?.get(column) ?? column}: ${messageOf(error).replace(` ${where}`, '')}`;
  return new BatchRefused(reason, { cause: error });
}
