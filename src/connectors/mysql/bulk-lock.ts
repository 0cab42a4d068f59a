import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { BulkTarget } from '../contract.ts';
import { refuse } from './bulk-names.ts';
import { isServerError } from './errors.ts';

/** Seconds to wait for the readers of a table; while we wait, new readers queue up behind us. */
const lockSeconds = 2;
const lockTries = 15;
const lockTimeout = 1205;

/** Runs a statement that locks readers out, for a short time again and again: a long wait would make them wait as well. */
export async function withoutReaders(
  connection: Connection,
  target: BulkTarget,
  run: () => Promise<void>,
): Promise<void> {
  await connection.query(`set session lock_wait_timeout = ${lockSeconds}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await run();
      break;
    } catch (error) {
      if (!isServerError(error) || error.errno !== lockTimeout) throw error;
      if (attempt === lockTries) {
        refuse(
          `${target.schema}.${target.name} stayed in use: its lock was not given in ${lockTries} tries`,
          error,
        );
      }
      await sleep((lockSeconds * 1000) / 2);
    }
  }
  await connection.query('set session lock_wait_timeout = 86400');
}
