import { messageOf } from '../../errors.ts';
import { BatchRefused, Contended } from '../contract.ts';
import { isPassing, isServerError } from './errors.ts';

/**
 * Answers that tell of the server: besides those that pass by themselves no memory or room (1021, 1037, 1038, 1041,
 * 1114), time limits (1969, 3024), and a server that is read-only for now (1290, 1792, 1836). What else it answers may
 * be about the batch: triggers raise any error.
 */
const trouble = new Set([1021, 1037, 1038, 1041, 1114, 1290, 1792, 1836, 1969, 3024]);

/** A lock that was not given in time, a deadlock. */
const contention = new Set([1205, 1213]);

/** Where the server says it happened: the row is one of the statement, and the table may be Tidemark's own or a trigger's. */
const place = /for column (?:`.+?`\.`.+?`\.)?([`'])(.+?)\1 at row \d+/;

/** The error as it is, or as the batch's. @param staged what columns are called in the target, if otherwise. */
export function refusedOr(error: unknown, staged?: ReadonlyMap<string, string>): unknown {
  if (!isServerError(error)) return error;
  if (contention.has(error.errno)) return new Contended(messageOf(error), { cause: error });
  if (isPassing(error) || trouble.has(error.errno)) return error;
  const [where, , column = ''] = place.exec(error.message) ?? [];
  const reason =
    where === undefined
      ? messageOf(error)
      : `${staged?.get(column) ?? column}: ${messageOf(error).replace(` ${where}`, '')}`;
  return new BatchRefused(reason, { cause: error, unsure: true });
}
