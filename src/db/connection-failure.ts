/** SQLSTATE classes of a server that cannot serve us now: connection exceptions, and shutdown or recovery. */
const states = /^(08|57P0)/;
const codes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** Whether a statement failed because the server was away, and not because of what it said. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    states.test(code) || codes.has(code) || /^(Connection terminated|timeout exceeded)/.test(error.message)
  );
}
