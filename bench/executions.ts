import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { eachLimited } from '../src/lib/each-limited.ts';
import { format, print, quantile, withServer } from './support.ts';

const program = path.join(import.meta.dirname, '../bin/tidemark.mjs');
const partnerKey = 'partner-key-of-the-bench';

const { values: given } = parseArgs({
  args: process.argv.slice(3),
  options: {
    organizations: { type: 'string', default: '200' },
    each: { type: 'string', default: '5' },
    big: { type: 'string', default: '500' },
    small: { type: 'string', default: '20' },
    alone: { type: 'string', default: '10' },
  },
});

interface Tenant {
  key: string;
  syncs: string[];
}

interface Bench {
  url: string;
  environment: NodeJS.ProcessEnv;
  metadata: pg.Client;
}

/** Tiny bulk syncs, a table of ten rows each, from a backlog and alone. */
export async function run(): Promise<void> {
  await withServer(async (systems) => {
    const source = await systems.database('source');
    const destination = await systems.database('destination');
    const client = new pg.Client(source);
    await client.connect();
    await client.query('create table tiny (id int primary key, name text)');
    await client.query(`insert into tiny select n, 'n' || n from generate_series(1, 10) n`);
    await client.end();
    await withTidemark(async (bench) => {
      const tenant = (syncs: number) => newTenant(bench, source, destination, syncs);
      const many: Tenant[] = [];
      await eachLimited(Array(Number(given.organizations)).fill(0), 4, async () => {
        many.push(await tenant(Number(given.each)));
      });
      const big = await tenant(Number(given.big));
      const small: Tenant[] = [];
      for (let n = 0; n < Number(given.small); n++) small.push(await tenant(1));

      const all = many.flatMap(({ key, syncs }) => syncs.map((sync) => ({ key, sync })));
      await eachLimited(shuffled(all), 16, async ({ key, sync }) => {
        await start(bench, key, sync);
      });
      let seconds = await untilEnded(bench, await startWorker(bench));
      console.log(
        `backlog of ${all.length}, ${many.length} organizations`.padEnd(36),
        `${format(all.length / seconds, 1)} executions/s`,
      );

      await eachLimited(big.syncs, 16, async (sync) => {
        await start(bench, big.key, sync);
      });
      for (const { key, syncs } of small) await start(bench, key, syncs[0] ?? '');
      seconds = await untilEnded(bench, await startWorker(bench));
      const waits = await bench.metadata.query<{ seconds: number }>(
        `with last as (select * from tidemark.executions order by created_at desc limit ${big.syncs.length + small.length})
         select extract(epoch from completed_at - (select min(started_at) from last))::float8 as seconds
         from last order by created_at desc limit ${small.length}`,
      );
      const ends = waits.rows.map((row) => row.seconds);
      console.log(`${big.syncs.length} of one organization`.padEnd(36), `${format(seconds, 1)} s`);
      print(`${small.length} others beside them, end`, ends, 's', 1);

      const worker = await startWorker(bench);
      const times: Record<'idle' | 'warm', number[]> = { idle: [], warm: [] };
      const { key, syncs } = small[0] ?? big;
      for (let n = 0; n < Number(given.alone); n++) {
        // A worker's processes end after ten seconds without work.
        await delay(12_000);
        times.idle.push(await alone(bench, key, syncs[0] ?? ''));
        times.warm.push(await alone(bench, key, syncs[0] ?? ''));
      }
      print('alone, after idleness', times.idle, 'ms');
      print('alone, a process at hand', times.warm, 'ms');
      console.log(`slowest of them: ${format(quantile([...times.idle, ...times.warm], 1))} ms`);
      await end(worker);
    });
  });
}

async function withTidemark(measure: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  const environment = {
    ...process.env,
    TIDEMARK_DATA_DIR: folder,
    TIDEMARK_PORT: '0',
    TIDEMARK_WORKERS: '0',
    TIDEMARK_LOG_LEVEL: 'warn',
    TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
    TIDEMARK_PARTNER_KEY: partnerKey,
  };
  const server = spawn(process.execPath, [program, 'serve'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await lineOf(server, /ready at/);
    const { url, databaseUrl } = JSON.parse(await readFile(path.join(folder, 'server.json'), 'utf8')) as {
      url: string;
      databaseUrl: string;
    };
    const metadata = new pg.Client(databaseUrl);
    await metadata.connect();
    await measure({ url, environment, metadata }).finally(() => metadata.end());
  } finally {
    await end(server);
    await rm(folder, { recursive: true, force: true });
  }
}

async function startWorker({ environment }: Bench): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [program, 'worker'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await lineOf(worker, /is ready/);
  return worker;
}

async function lineOf({ stdout }: ChildProcess, wanted: RegExp): Promise<void> {
  if (stdout === null) throw new Error('its output is not read');
  for await (const line of createInterface({ input: stdout })) if (wanted.test(line)) return;
  throw new Error(`it ended before it said ${wanted}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function call<Data>({ url }: Bench, key: string, route: string, body: object): Promise<Data> {
  const response = await fetch(`${url}/api${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${route}: ${response.status} ${text}`);
  return (JSON.parse(text) as { data: Data }).data;
}

async function newTenant(bench: Bench, source: string, destination: string, count: number): Promise<Tenant> {
  const name = crypto.randomUUID();
  const organization = await call<{ id: string }>(bench, partnerKey, '/organizations', { name });
  const user = await call<{ id: string }>(bench, partnerKey, `/organizations/${organization.id}/users`, {
    email: `${name}@bench.test`,
    role: 'admin',
  });
  const users = `/organizations/${organization.id}/users/${user.id}`;
  const { value: key } = await call<{ value: string }>(bench, partnerKey, `${users}/keys`, {});
  const connect = (url: string, called: string) => {
    const { hostname, port, username, password, pathname } = new URL(url);
    const configuration = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      username,
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      ssl: false,
    };
    return call<{ id: string }>(bench, key, '/connections', {
      name: called,
      type: 'postgresql',
      configuration,
    });
  };
  const from = await connect(source, 'source');
  const to = await connect(destination, 'destination');
  const syncs: string[] = [];
  for (let n = 0; n < count; n++) {
    const { id } = await call<{ id: string }>(bench, key, '/bulk/syncs', {
      name: `${n}`,
      source_connection_id: from.id,
      destination_connection_id: to.id,
      mode: 'replicate',
      destination_configuration: { schema: `${name.slice(0, 8)}_${n}` },
      schedule: { frequency: 'manual' },
      schemas: ['public.tiny'],
      active: true,
    });
    syncs.push(id);
  }
  return { key, syncs };
}

async function start(bench: Bench, key: string, sync: string): Promise<string> {
  const { id } = await call<{ id: string }>(bench, key, `/bulk/syncs/${sync}/executions`, {});
  return id;
}

/** Seconds from now until no execution is left. Ends the worker. */
async function untilEnded({ metadata }: Bench, worker: ChildProcess): Promise<number> {
  const started = performance.now();
  const left = `select count(*)::int as left from tidemark.executions where status in ('created', 'queued', 'running', 'canceling')`;
  while ((await metadata.query<{ left: number }>(left)).rows[0]?.left !== 0) await delay(50);
  const seconds = (performance.now() - started) / 1000;
  await end(worker);
  const failed = await metadata.query(
    `select errors from tidemark.executions where status <> 'completed' limit 1`,
  );
  if (failed.rows.length > 0) throw new Error(`not all completed: ${JSON.stringify(failed.rows)}`);
  return seconds;
}

/** Milliseconds from the request to the end on record. */
async function alone(bench: Bench, key: string, sync: string): Promise<number> {
  const started = performance.now();
  const id = await start(bench, key, sync);
  const status = 'select status from tidemark.executions where id = $1';
  while ((await bench.metadata.query<{ status: string }>(status, [id])).rows[0]?.status !== 'completed')
    await delay(2);
  return performance.now() - started;
}

/** Those of one organization do not come one after the other. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item, index) => ({ item, key: (index * 7919) % items.length }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
