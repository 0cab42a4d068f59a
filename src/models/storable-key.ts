import type { KeyAndHash } from '../connectors/index.ts';

/** PostgreSQL, which compares identities, has no text with U+0000: a record that has such a one is told of, and not sent. */
export function withStorableKey<Row extends KeyAndHash>(row: Row): Row {
  if (!row.key?.includes('\0')) return row;
  const problem = row.problem ?? 'the identity has the character U+0000, which cannot be compared';
  return { ...row, key: row.key.replaceAll('\0', '\\u0000'), problem };
}
