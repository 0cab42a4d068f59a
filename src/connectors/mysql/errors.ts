import { messageOf } from '../../errors.ts';
import { ConnectionLost } from '../contract.ts';

/** What the server answers with, as mysql2 gives it. */
export interface ServerError extends Error {
  errno: number;
  sqlState: string;
}

/**
 * Answers that say nothing about the request: too many connections (1040, 1203), a server that shuts down (1053,
 * 1077), a connection that was killed (1317, 1927), a session that ended for its silence (4031), trouble while
 * reading or writing packets (1158 to 1161), a deadlock (1213), a lock that was not given in time (1205), and a server that
 * takes no writes (1836), as a replica does until it is promoted.
 */
const passing = new Set([1040, 1053, 1077, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1317, 1836, 1927, 4031]);
/** An option is in the way. This one is a replica's; others stay. */
const preventedByOption = 1290;

/** What to throw for a failure: ConnectionLost where a new try may work, else the failure itself. */
export function lostOrRefused(error: unknown): unknown {
  if (error instanceof ConnectionLost) return error;
  if (isServerError(error) ? !isPassing(error) : !isConnectionError(error)) return error;
  return new ConnectionLost(messageOf(error), { cause: error });
}

export const isPassing = ({ errno, message }: ServerError): boolean =>
  passing.has(errno) || (errno === preventedByOption && message.includes('read-only'));

/** Another session has what is asked for. */
export const isLockTimeout = ({ errno }: ServerError): boolean => errno === 1205;

/** Of a unique key. */
export function isDuplicate(error: unknown): error is ServerError {
  return isServerError(error) && error.errno === 1062;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && typeof (error as Partial<ServerError>).sqlState === 'string';
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isConnectionError);
  const { code = '' } = error as NodeJS.ErrnoException;
  return (
    /^(PROTOCOL_CONNECTION_LOST|ERR_STREAM_PREMATURE_CLOSE|E[A-Z]+)$/.test(code) ||
    /closed state/.test(error.message)
  );
}
