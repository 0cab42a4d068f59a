import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { call, connect, type Target } from '../support/http.ts';
import { random } from '../support/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { postgresqlFraming } from './frames.ts';
import { hostileS3 } from './http-systems.ts';
import { messageProxy } from './message-proxy.ts';
import { scriptedPostgresql, scripts } from './scripted-postgresql.ts';

const partnerKey = 'partner-key-of-the-test';
/** As by default: what is asked first has to wait for a process to start, on a busy machine for long. */
const lookSeconds = 15;
const limits = { look: 256, execution: 320 };
/** MB: what a server and a worker may take for having to do with it all, over what they took before. */
const more = 150;
/** Of each kind that ended, stopped or filled a process. */
const said = [
  'a request to authenticate of two bytes',
  'an error without a body',
  'a row with a negative length',
  'CopyInResponse',
  'nothing after the login',
  'rows without end',
  'one row without end',
];

const [stores, runs] = [4, 5];

let databases: TestDatabase[];
let server: TestServer;

beforeAll(async () => {
  databases = await Promise.all([createDatabase(), createDatabase(), createDatabase()]);
  const [metadata, shop] = databases as [TestDatabase, TestDatabase, TestDatabase];
  await shop.query(`create table people as select n::bigint as id, 'name ' || n as name from generate_series(1, 2000) n;
    alter table people add primary key (id)`);
  server = await startTestServer({
    DATABASE_URL: metadata.url,
    TIDEMARK_PARTNER_KEY: partnerKey,
    TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
    TIDEMARK_LOOK_SECONDS: String(lookSeconds),
    TIDEMARK_LOOK_MEMORY_MB: String(limits.look),
    TIDEMARK_EXECUTION_MEMORY_MB: String(limits.execution),
    TIDEMARK_LOG_LEVEL: 'silent',
  });
});
afterAll(async () => {
  await server?.stop();
  for (const database of databases) await database[Symbol.asyncDispose]();
});

async function tenant(name: string): Promise<Target> {
  const partner = { url: server.url, apiKey: partnerKey };
  const { id } = await call<{ id: string }>(partner, 'POST', '/api/organizations', { name });
  const path = `/api/organizations/${id}/users`;
  const user = await call<{ id: string }>(partner, 'POST', path, {
    email: `${name}@example.com`,
    role: 'admin',
  });
  const { value } = await call<{ value: string }>(partner, 'POST', `${path}/${user.id}/keys`, {});
  return { url: server.url, apiKey: value };
}

/** Asks again while processes start: on a busy machine the first takes longer than a look may. */
const patiently = <Result extends object>(ask: () => Promise<Result>) => until(() => ask().catch(() => null));

async function bulkSync(owner: Target, source: string, destination: string, schema: string) {
  return call<{ id: string }>(owner, 'POST', '/api/bulk/syncs', {
    ...{ name: schema, mode: 'replicate', active: true, default_schedule: { frequency: 'manual' } },
    ...{ source_connection_id: source, destination_connection_id: destination },
    destination_configuration: { schema },
  });
}

const start = (owner: Target, syncId: string) =>
  call<{ id: string }>(owner, 'POST', `/api/bulk/syncs/${syncId}/executions`, {});

async function ended(owner: Target, syncId: string, id: string): Promise<string> {
  return until(async () => {
    const { status } = await call<{ status: string }>(
      owner,
      'GET',
      `/api/bulk/syncs/${syncId}/executions/${id}`,
    );
    return /^(completed|failed|errors|canceled)$/.test(status) && status;
  });
}

/** Resident memory in MB, of a process and of those that it has started, by what they run. */
function memory(pid: number): { name: string; mb: number }[] {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  try {
    const mb = (Number(read('statm').split(' ')[1]) * 4096) / 1024 / 1024;
    const name = /isolate\.\w+\0(\w+)/.exec(read('cmdline'))?.[1] ?? 'own';
    const children = read(`task/${pid}/children`).trim().split(' ').filter(Boolean);
    return [{ name, mb }, ...children.flatMap((child) => memory(Number(child)))];
  } catch {
    return [];
  }
}

const most = (list: { name: string; mb: number }[], name: string) =>
  Math.max(0, ...list.filter((one) => one.name === name).map(({ mb }) => mb));

test('hostile systems of one tenant leave the server, its memory and the other tenants alone', async () => {
  const [, shop, warehouse] = databases as [TestDatabase, TestDatabase, TestDatabase];
  const [hostile, healthy] = [await tenant('hostile'), await tenant('healthy')];
  await using proxy = await messageProxy(Number(new URL(shop.url).port), postgresqlFraming);
  const behind = Object.assign(new URL(shop.url), { port: String(proxy.port) }).href;
  const setUp = async (owner: Target, name: string, source: string) => {
    const from = await patiently(() => connect(owner, 'from', source));
    const to = await patiently(() => connect(owner, 'to', warehouse.url));
    return (await patiently(() => bulkSync(owner, from.id, to.id, name))).id;
  };
  const badSync = await setUp(hostile, 'bad', behind);
  const goodSync = await setUp(healthy, 'good', shop.url);
  const pid = server.child.pid ?? 0;
  const before = most(memory(pid), 'own');

  // How long this process has to wait for its turn, so does a server that nothing holds.
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const watched = { ready: 0, answers: 0, looks: 0, workers: 0, own: 0, failed: [] as string[] };
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      const began = performance.now();
      const answer = await fetch(`${server.url}/readyz`);
      watched.ready = Math.max(watched.ready, performance.now() - began);
      watched.answers++;
      if (answer.status !== 200) watched.failed.push(`${answer.status} ${await answer.text()}`);
      const seen = memory(pid);
      watched.own = Math.max(watched.own, most(seen, 'own'));
      watched.looks = Math.max(watched.looks, most(seen, 'server'));
      watched.workers = Math.max(watched.workers, most(seen, 'worker'));
      await pause(50);
    }
  };

  /** Asks for a test of a connection. @returns seconds until the last byte of the answer. */
  const look = async (type: string, configuration: object): Promise<number> => {
    const began = performance.now();
    const answer = await fetch(`${server.url}/api/connections/test`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hostile.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type, configuration }),
    });
    const text = await answer.text();
    if (answer.status < 400) throw new Error(`a hostile ${type} was found to be well: ${text}`);
    return (performance.now() - began) / 1000;
  };

  const looks = async () => {
    await using store = await hostileS3();
    const [s3] = store.systems;
    const took: number[] = [];
    const all = said.map(async (name) => {
      const script = scripts[name];
      if (script === undefined) throw new Error(`there is no script ${name}`);
      await using scripted = await scriptedPostgresql(script);
      took.push(await look('postgresql', scripted.configuration));
    });
    await Promise.all(all);
    // One at a time: an answer of a store is what the dice say.
    for (let seed = 1; seed <= stores && s3 !== undefined; seed++) {
      s3.arm(0, random(seed));
      took.push(await look('s3', s3.configuration).catch(() => 0));
    }
    return took;
  };

  const executions = async () => {
    const outcomes: string[] = [];
    for (let seed = 1; seed <= runs; seed++) {
      proxy.arm(60 + 20 * seed, random(seed));
      const { id } = await start(hostile, badSync);
      outcomes.push(await ended(hostile, badSync, id));
    }
    return outcomes;
  };

  const watching = watch();
  const attacks = Promise.all([looks(), executions()]);
  const goodExecution = await start(healthy, goodSync);
  expect(await ended(healthy, goodSync, goodExecution.id)).toBe('completed');
  const [took, outcomes] = await attacks;
  isOver = true;
  await watching;
  lag.disable();

  expect(watched.failed).toEqual([]);
  expect(watched.answers).toBeGreaterThan(20);
  const patience = (2 * lag.max) / 1e6;
  expect(watched.ready).toBeLessThan(1000 + patience);
  expect(took).toHaveLength(said.length + stores);
  // Places are waited for within the deadline.
  expect(Math.max(...took)).toBeLessThan(lookSeconds + 1 + patience / 1000);
  expect(outcomes).toHaveLength(runs);
  expect(watched.own).toBeLessThan(before + more);
  // They are looked at four times a second, and grow meanwhile.
  expect(watched.looks).toBeLessThan(1.5 * limits.look);
  expect(watched.workers).toBeLessThan(1.5 * limits.execution);
}, 600_000);
