/** PostgreSQL 13 does not know the setting; a server that cannot watch its connections while it computes takes 0 alone. */
const unsupported = new Set<unknown>(['42704', '22023']);

/** Has what a session computes end within a second of its client being gone, canceled or killed, where the server can. */
export async function endWithClient(session: { query(text: string): Promise<unknown> }): Promise<void> {
  try {
    await session.query(`set client_connection_check_interval = '500ms'`);
  } catch (error) {
    if (!unsupported.has((error as { code?: unknown }).code)) throw error;
  }
}
