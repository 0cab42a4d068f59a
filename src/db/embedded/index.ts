import { lstat, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { identityOf, LockHeld, type ProcessLock, takeLock } from '../../lib/process-lock.ts';
import { postgresql } from '../../lib/sql-quoting.ts';
import { findBinaries } from './binaries.ts';
import { initializeCluster, passwordFileOf } from './initialize.ts';
import { findOwner, reachableBinaries } from './owner.ts';
import { placeCluster } from './place.ts';
import { launch } from './postmaster.ts';
import { stopStale } from './stale.ts';

/** A PostgreSQL server of our own, listening on loopback. */
export interface EmbeddedPostgres {
  port: number;
  password: string;
  /** Process id of the postmaster. */
  pid: number;
  /** Rejects when PostgreSQL ended without being asked to, with its last words. */
  lost: Promise<never>;
  /** URL of a database of this server, as its superuser. */
  url(database?: string): string;
  /** URL of a database that is made if it is missing. */
  database(name: string): Promise<string>;
  /** Stops it: sessions are ended, data is flushed (a "fast" shutdown). Safe to call twice. */
  stop(): Promise<void>;
}

const superuser = 'postgres';

/**
 * Starts the embedded PostgreSQL on a cluster below `dataDir`, which is made on the first call. A server
 * that a killed process left behind on the same cluster is stopped first. The caller holds the lock on
 * `dataDir`: two callers must not run this at once.
 *
 * @param settings extra `postgresql.conf` settings, e.g. `{ fsync: 'off' }` in tests.
 * @throws with PostgreSQL's own words when it does not come up.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  settings: Record<string, string> = {},
): Promise<EmbeddedPostgres> {
  const owner = await findOwner();
  const binaries = await reachableBinaries(await findBinaries(), owner);
  const cluster = await placeCluster(dataDir);
  const password = await initializeCluster(binaries.initdb, cluster, owner);
  const lock = await lockCluster(cluster);
  const { port, ...process } = await start(binaries.postgres, cluster, owner, settings).catch(
    async (error) => {
      await lock.release();
      throw error;
    },
  );
  // Its end gives up the lock at once: who has heard of it may start it again.
  process.lost.catch(() => lock.release());
  const url = (database = 'postgres') =>
    `postgresql://${superuser}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  return {
    ...process,
    port,
    password,
    url,
    async database(name) {
      await createDatabase(url(), name);
      return url(name);
    },
    async stop() {
      await process.stop();
      await lock.release();
    },
  };
}

async function start(...[postgres, cluster, ...rest]: Parameters<typeof launch>) {
  await stopStale(cluster);
  return launch(postgres, cluster, ...rest);
}

/** Whoever runs a PostgreSQL holds its cluster, by whatever path it got there. */
async function lockCluster(cluster: string): Promise<ProcessLock> {
  try {
    return await takeLock(`cluster ${await identityOf(cluster)}`);
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new Error(`${cluster} is in use: process ${error.holder} runs a PostgreSQL on it.`, {
      cause: error,
    });
  }
}

/** Throws the cluster of `dataDir` away, and stops what still runs on it. What a link points to is not ours. */
export async function removeEmbeddedPostgres(dataDir: string): Promise<void> {
  const folder = await realpath(dataDir).catch(() => undefined);
  if (folder === undefined) return;
  const cluster = path.join(folder, 'postgresql');
  if ((await lstat(cluster).catch(() => undefined))?.isDirectory()) {
    const lock = await lockCluster(cluster);
    await stopStale(cluster).finally(() => lock.release());
  }
  for (const file of [cluster, passwordFileOf(cluster)]) await rm(file, { recursive: true, force: true });
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${postgresql.identifier(name)}`);
  } finally {
    await client.end();
  }
}
