import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { call } from '../support/http.ts';
import { startTestServer, type TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/until.ts';
import { brokenPromises } from './invariants.ts';
import { type Reader, startReaders } from './readers.ts';
import { startChaosReceiver } from './receiver.ts';
import { createTenant, type Tenant } from './tenant.ts';

const partnerKey = 'chaos-partner-key-0000';
export const allFaults = ['server', 'worker', 'postgres', 'terminate', 'clock'] as const;
export type Fault = (typeof allFaults)[number];

export interface ChaosReport {
  faults: Partial<Record<Fault, number>>;
  events: number;
  executions: number;
  requests: number;
  broken: string[];
}

/**
 * Runs syncs of several organizations while processes are killed at random instants, endpoints misbehave and the
 * event clock jumps; then lets everything come to rest and looks for broken promises.
 *
 * @param rounds faults to make, one after the other; every kind has its turn. @param source,destination URLs of
 *   databases that stay up. @param say is told what happens.
 */
export async function runChaos(
  options: {
    rounds: number;
    tenants: number;
    source: string;
    destination: string;
    faults?: readonly Fault[];
  },
  say: (line: string) => void = () => {},
): Promise<ChaosReport> {
  const faults = options.faults ?? allFaults;
  const folder = await temporaryFolder();
  const environment = {
    TIDEMARK_PARTNER_KEY: partnerKey,
    TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
    TIDEMARK_WEBHOOK_RETRY_SECONDS: '0.2,0.4,0.6,0.8,1',
    TIDEMARK_WEBHOOK_TIMEOUT_SECONDS: '1',
    TIDEMARK_LOG_LEVEL: 'error',
  };
  const receiver = await startChaosReceiver();
  const stop = new AbortController();
  let server = await startTestServer(environment, folder);
  const report: ChaosReport = { faults: {}, events: 0, executions: 0, requests: 0, broken: [] };
  try {
    const tenants: Tenant[] = [];
    for (let n = 0; n < options.tenants; n++) {
      const target = { url: server.url, apiKey: '', partnerKey };
      tenants.push(await createTenant(target, n, receiver.url, options.source, options.destination));
    }
    const readers = tenants.flatMap((tenant) => startReaders(tenant, () => server.url, stop.signal));
    const quiet = new AbortController();
    const starters = tenants.map((tenant) => keepStarting(tenant, () => server.url, quiet.signal));

    for (let round = 0; round < options.rounds; round++) {
      await pause(500 + Math.random() * 2500);
      const fault = faults[round % faults.length] ?? 'server';
      say(`${round + 1}/${options.rounds} ${fault}`);
      server = await make(fault, server, environment, folder);
      report.faults[fault] = (report.faults[fault] ?? 0) + 1;
    }
    await pause(500);
    quiet.abort();
    await Promise.all(starters);
    receiver.behave();
    say('coming to rest');
    await atRest(folder, readers);
    say('at rest');
    const client = await connect(folder);
    report.broken = await brokenPromises(client, readers, receiver.received);
    const { rows } = await client.query<{ events: number; executions: number }>(
      'select (select count(*)::int from events) as events, (select count(*)::int from executions) as executions',
    );
    await client.end();
    Object.assign(report, rows[0]);
    report.requests = [...receiver.received.values()].reduce((sum, count) => sum + count, 0);
    return report;
  } finally {
    stop.abort();
    await server.stop();
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the tenant's syncs again and again; one that runs already, or a server that is away, is no matter. */
async function keepStarting(tenant: Tenant, url: () => string, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const syncId = tenant.syncIds[n % tenant.syncIds.length];
    await call(
      { url: url(), apiKey: tenant.apiKey },
      'POST',
      `/api/bulk/syncs/${syncId}/executions`,
      {},
    ).catch(() => {});
    await pause(20 + Math.random() * 100);
  }
}

async function make(
  fault: Fault,
  server: TestServer,
  environment: Record<string, string>,
  folder: string,
): Promise<TestServer> {
  const again = () => startTestServer(environment, folder);
  switch (fault) {
    case 'server':
      await server.kill();
      return await again();
    case 'worker': {
      // The supervisor starts another.
      for (const pid of await childrenOf(server.child.pid ?? 0, 'worker')) process.kill(pid, 'SIGKILL');
      return server;
    }
    case 'postgres': {
      const pid = Number(
        (await readFile(path.join(folder, 'postgresql', 'postmaster.pid'), 'utf8')).split('\n')[0],
      );
      const ended = new Promise((resolve) => server.child.once('exit', resolve));
      process.kill(pid, 'SIGKILL');
      await ended;
      return await again();
    }
    case 'terminate': {
      const client = await connect(folder);
      await client
        .query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()')
        .catch(() => {});
      await client.end().catch(() => {});
      return server;
    }
    case 'clock': {
      // As if the clock had been ten seconds ahead and was set back: the next timestamps lie in its future.
      const client = await connect(folder);
      await client.query("update tidemark.event_heads set head = head + interval '10 seconds'");
      await client.end();
      return server;
    }
  }
}

async function childrenOf(pid: number, argument: string): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = children.trim().split(' ').map(Number);
  const lines = await Promise.all(
    pids.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => lines[index]?.includes(argument));
}

async function connect(folder: string): Promise<pg.Client> {
  const announced = JSON.parse(await readFile(path.join(folder, 'server.json'), 'utf8')) as {
    databaseUrl: string;
  };
  const client = new pg.Client({
    connectionString: announced.databaseUrl,
    options: '-c search_path=tidemark',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Waits until nothing runs, nothing is queued, and every reader has seen the last event. */
async function atRest(folder: string, readers: readonly Reader[]): Promise<void> {
  const client = await connect(folder);
  try {
    let busy: unknown[] = [];
    await until(async () => {
      const { rows } = await client.query(`
        select 'execution' as what, to_jsonb(x) as row from executions x
        where status in ('created', 'queued', 'running', 'canceling')
        union all select 'delivery', to_jsonb(q) from webhook_queue q limit 5`);
      busy = rows;
      return rows.length === 0;
    }).catch(() => {
      throw new Error(`never at rest: ${JSON.stringify(busy)}`);
    });
    const { rows } = await client.query<{ organization_id: string; last: string }>(
      'select distinct on (organization_id) organization_id, id as last from events order by organization_id, created_at desc',
    );
    const last = new Map(rows.map((row) => [row.organization_id, row.last]));
    // One that never gets there has lost it: that is for the invariants to say.
    await until(() =>
      readers.every(({ organizationId, seen }) => seen.at(-1) === last.get(organizationId)),
    ).catch(() => {});
  } finally {
    await client.end();
  }
}
