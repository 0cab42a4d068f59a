/** SQLSTATEs of a server that cannot serve us now: connection exceptions, too many sessions, shutdown, recovery. */
const states = /^(08|53300|57P0|25P03)/;
/** It was demoted, or the session is with a standby: the one that can write is somewhere else. */
export const readOnlyState = '25006';
const codes = new Set([
  readOnlyState,
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
]);
/** What pg says in words only. */
const words =
  /^(Connection terminated|timeout e|Client (has encountered|was closed)|The session did not answer)/;

/** Whether a statement failed because the server was away, and not because of what it said. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return states.test(code) || codes.has(code) || words.test(error.message);
}
