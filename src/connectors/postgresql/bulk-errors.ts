import pg from 'pg';
import { messageOf, TidemarkError } from '../../errors.ts';
import { ConnectionLost } from '../contract.ts';
import { rowsHidden } from './rows-hidden.ts';

/**
 * SQLSTATE classes and codes that say nothing about the request: connection trouble (08), what others do at the same moment
 * (40001, which is also how a standby ends a read that is in the way of what it has to replay, deadlocks, locks), too little
 * memory or too many connections, a server that shuts down or starts up, and a session ended by an administrator or for its
 * age (25P03, 25P04). A standby says no when a transaction that writes begins: see transaction.ts. What is refused for being
 * read-only after that (25006) is so for good: a view or trigger that writes where nothing may.
 */
const passing = /^(08...|40001|40003|40P01|55P03|53200|53300|25P03|25P04|57P0[1-5])$/;

/** What to throw for a failure: ConnectionLost where a new try may work, else the failure itself. */
export function lostOrRefused(error: unknown): unknown {
  const failure = lostOrAnswer(error);
  return failure instanceof pg.DatabaseError ? (rowsHidden(failure) ?? explained(failure)) : failure;
}

/** The same, but what the server answered is as it came: whoever knows what was asked may say more of it. */
export function lostOrAnswer(error: unknown): unknown {
  // Everything that is not an answer of the server is trouble on the way: pg reports it as plain Errors.
  const answered = error instanceof pg.DatabaseError;
  if (answered && !passing.test(error.code ?? '')) return error;
  if (error instanceof ConnectionLost) return error;
  if (!answered && !isConnectionError(error)) return error;
  return new ConnectionLost(messageOf(error), { cause: error });
}

/** With what the server says beside the message: the row or key, the column and table, the line of a COPY. */
function explained(error: pg.DatabaseError): Error {
  const { message, detail, hint, column, table, schema, where } = error;
  const place = [
    column === undefined || message.includes(column) ? undefined : `column ${column}`,
    table === undefined || message.includes(table) ? undefined : `table ${schema}.${table}`,
    // Its value may be long, and the rest is the statement.
    /^COPY [^\n]*/.exec(where ?? '')?.[0].slice(0, 200),
  ].filter((part) => part !== undefined);
  const more = [detail, hint, ...place].filter((part) => part !== undefined);
  if (more.length === 0) return error;
  return new TidemarkError('unprocessable', { reason: [message, ...more].join('; ') }, { cause: error });
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
