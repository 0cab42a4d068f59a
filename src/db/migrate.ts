import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import { packageRoot } from '../lib/program.ts';
import { schemaName } from './database.ts';
import { MetadataClient, sessionOptions } from './metadata-client.ts';

const directory = path.join(packageRoot, 'src/db/migrations');
// Any constant: it serializes servers that start at the same time.
const advisoryLock = 0x7469_6465;

/**
 * Brings the metadata database up to date. Migrations are numbered `.sql` files, forward only, never
 * edited after release; each runs in a transaction of its own. Safe to call from several processes.
 *
 * @throws when the database was migrated by a newer Tidemark past a migration marked `-- breaking`.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const client: pg.Client = new MetadataClient({
    ...sessionOptions(databaseUrl),
    application_name: 'tidemark migrate',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [advisoryLock]);
    await client.query(`create schema if not exists ${schemaName}`);
    await client.query(`set search_path = ${schemaName}`);
    await client.query(
      `create table if not exists migrations (
         name text primary key, breaking boolean not null, applied_at timestamptz not null default now())`,
    );
    await applyPending(client);
  } finally {
    await client.end();
  }
}

async function applyPending(client: pg.Client): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const { rows } = await client.query<{ name: string; breaking: boolean }>(
    'select name, breaking from migrations',
  );
  const applied = new Set(rows.map((row) => row.name));
  const unknown = rows.find((row) => row.breaking && !files.includes(row.name));
  if (unknown !== undefined) {
    throw new Error(`the database was migrated by a newer Tidemark (${unknown.name}); install that version`);
  }
  for (const name of files.filter((file) => !applied.has(file))) {
    const text = await readFile(path.join(directory, name), 'utf8');
    await client.query('begin');
    await client.query(text);
    await client.query('insert into migrations (name, breaking) values ($1, $2)', [
      name,
      text.startsWith('-- breaking'),
    ]);
    await client.query('commit');
  }
}
