import type { Connection } from 'mysql2/promise';
import { TidemarkError } from '../../errors.ts';
import { rowsOf } from './client.ts';

/** @throws unprocessable when the server is older than what we know to work. */
export async function checkServer(connection: Connection): Promise<void> {
  const [row] = await rowsOf<{ version: string }>(connection, 'select version() as version');
  const version = row?.version ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = isMariadb(version) ? major > 10 || (major === 10 && minor >= 5) : major >= 8;
  if (enough) return;
  throw new TidemarkError('unprocessable', {
    reason: `The server is version ${version}: MySQL 8 or MariaDB 10.5 is the least that works`,
  });
}

/** Servers behind a proxy or in a cloud put `5.5.5-` in front. */
export function isMariadb(version: string): boolean {
  return /mariadb/i.test(version);
}

/** The collation by which texts are equal when their characters are, spaces at the end included. */
export async function exactCollation(connection: Connection): Promise<string> {
  const [row] = await rowsOf<{ version: string }>(connection, 'select version() as version');
  return isMariadb(row?.version ?? '') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}
