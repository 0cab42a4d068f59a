import pg from 'pg';
import { messageOf } from '../../errors.ts';
import { ConnectionLost } from '../contract.ts';

/**
 * SQLSTATE classes and codes that say nothing about the request: connection trouble (08), a server that shuts
 * down or starts up, a session ended by an administrator, too many connections (53300).
 */
const passing = /^(08...|57P0[1-5]|53300)$/;

/** What to throw for a failure: ConnectionLost where a new try may work, else the failure itself. */
export function lostOrRefused(error: unknown): unknown {
  // Everything that is not an answer of the server is trouble on the way: pg reports it as plain Errors.
  const answered = error instanceof pg.DatabaseError;
  if (answered && !passing.test(error.code ?? '')) return error;
  if (error instanceof ConnectionLost) return error;
  if (!answered && !isConnectionError(error)) return error;
  return new ConnectionLost(messageOf(error), { cause: error });
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isConnectionError);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return (
    /^(E[A-Z]+|ERR_STREAM_PREMATURE_CLOSE)$/.test(code) ||
    /^(Connection terminated|Client (has encountered|was closed)|timeout expired)/.test(error.message)
  );
}
