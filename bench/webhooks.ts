import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import {
  type Database,
  maintainPartitions,
  migrate,
  openDatabase,
  startEmbeddedPostgres,
} from '../src/db/index.ts';
import { appendEvent, sampleEvent } from '../src/events/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { createWebhook, enqueueDeliveries } from '../src/webhooks/index.ts';

const organizations = 8;
const inFlight = 256;

/**
 * Prints deliveries/s beside a bare undici loop that posts the same bodies to the same process with as many
 * requests in flight, then the latency from commit to arrival, alone and beside endpoints that hang.
 * `--events`, `--repeat`, `--seconds` of each latency run.
 */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      events: { type: 'string', default: '40000' },
      repeat: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '20' },
    },
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres(folder);
  const receiver = await startChild('webhook-receiver-child.ts', {});
  try {
    const databaseUrl = await server.database('bench');
    await migrate(databaseUrl);
    const { db, close } = openDatabase(databaseUrl);
    await maintainPartitions(db, 48 * 3_600_000);
    const bench = {
      db,
      databaseUrl,
      receiver: receiver.child,
      url: `http://127.0.0.1:${receiver.first.port}`,
    };
    await throughput(bench, Number(values.events), Number(values.repeat));
    await latencies(bench, Number(values.seconds));
    await close();
  } finally {
    receiver.child.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Bench {
  db: Database;
  databaseUrl: string;
  receiver: ChildProcess;
  url: string;
}

async function throughput(bench: Bench, events: number, repeat: number): Promise<void> {
  console.log(
    `${events} events to ${organizations} webhooks, ${os.availableParallelism()} cores, median of ${repeat} (min–max)`,
  );
  const tenants = await Promise.all(Array.from({ length: organizations }, () => tenant(bench, '/fast')));
  const ours: number[] = [];
  const cpu: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < repeat; round++) {
    bare.push(events / (await bareLoop(bench, events)));
    await Promise.all(tenants.map((id) => appendMany(bench, id, events / organizations)));
    const [elapsed, cpuSeconds] = await deliverAll(bench, events);
    ours.push(events / elapsed);
    cpu.push((cpuSeconds / events) * 1e6);
  }
  console.log(`bare undici loop   ${show(bare)} requests/s`);
  console.log(`deliveries         ${show(ours)} deliveries/s, recorded and signed`);
  console.log(`ratio              ${(median(ours) / median(bare)).toFixed(2)}`);
  console.log(`CPU of the worker  ${show(cpu)} µs/delivery`);
}

/** Posts as many bodies as there are events, keeping as many requests in flight as our worker may. */
async function bareLoop(bench: Bench, events: number): Promise<number> {
  const body = JSON.stringify({ type: 'sync.completed', event: sampleEvent('sync.completed') });
  const agent = new Agent({ connections: inFlight, pipelining: 1 });
  bench.receiver.send({ expect: events });
  const arrived = once(bench.receiver, 'message');
  let left = events;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) {
        const response = await request(`${bench.url}/fast`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
          dispatcher: agent,
        });
        await response.body.dump();
      }
    }),
  );
  await arrived;
  const seconds = (performance.now() - started) / 1000;
  await agent.close();
  return seconds;
}

/** From the start of a worker that is up, to the last delivery on record. */
async function deliverAll(bench: Bench, events: number): Promise<[seconds: number, cpuSeconds: number]> {
  bench.receiver.send({ expect: events });
  const arrived = once(bench.receiver, 'message');
  const worker = await startChild('webhook-worker-child.ts', { DATABASE_URL: bench.databaseUrl });
  const up = performance.now();
  const pending = async () => {
    const row = await bench.db
      .selectFrom('webhook_queue')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return row.count;
  };
  await arrived;
  while ((await pending()) > 0) await pause(5);
  const ended = performance.now();
  const said = once(worker.child, 'message');
  worker.child.send('stop');
  const [{ cpuSeconds }] = (await said) as [{ cpuSeconds: number }];
  return [(ended - up) / 1000, cpuSeconds];
}

async function latencies(bench: Bench, seconds: number): Promise<void> {
  const worker = await startChild('webhook-worker-child.ts', { DATABASE_URL: bench.databaseUrl });
  const good = await tenant(bench, '/timed');
  await measureLatency(bench, good, 2);
  const alone = await measureLatency(bench, good, seconds);
  console.log(
    `200 events/s, ${seconds} s, commit to arrival      p50 ${ms(alone, 0.5)}  p99 ${ms(alone, 0.99)}  max ${ms(alone, 1)}`,
  );

  const hanging = await Promise.all(Array.from({ length: 100 }, () => tenant(bench, '/hang')));
  for (const id of hanging) await appendMany(bench, id, 5);
  const stop = new AbortController();
  const trickle = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      await appendMany(bench, hanging[n % 100] ?? '', 1);
      await pause(10);
    }
  })();
  const beside = await measureLatency(bench, good, seconds);
  stop.abort();
  await trickle;
  console.log(
    `the same beside 100 webhooks that hang   p50 ${ms(beside, 0.5)}  p99 ${ms(beside, 0.99)}  max ${ms(beside, 1)}`,
  );
  worker.child.disconnect();
}

/** Appends 200 events/s, paced by the clock and not by the answers. */
async function measureLatency(bench: Bench, organizationId: string, seconds: number): Promise<number[]> {
  const committed = new Map<number, number>();
  const appends: Promise<void>[] = [];
  const begun = performance.now();
  const total = seconds * 200;
  for (let n = 0; n < total; n++) {
    const due = begun + n * 5;
    if (due > performance.now()) await pause(due - performance.now());
    appends.push(
      append(bench, organizationId, { ...sampleEvent('sync.completed'), n }).then(() => {
        committed.set(n, performance.timeOrigin + performance.now());
      }),
    );
  }
  await Promise.all(appends);
  await pause(1000);
  const reported = once(bench.receiver, 'message');
  bench.receiver.send({ report: true });
  const [{ arrivals }] = (await reported) as [{ arrivals: [number, number][] }];
  if (arrivals.length !== total) throw new Error(`${arrivals.length} of ${total} events arrived`);
  // A delivery can overtake the acknowledgement of its own commit.
  return arrivals.map(([n, at]) => Math.max(0, at - (committed.get(n) ?? 0))).sort((a, b) => a - b);
}

async function append(bench: Bench, organizationId: string, event: object): Promise<void> {
  await bench.db.transaction().execute(async (tx) => {
    const stored = await appendEvent(tx, { organizationId, type: 'sync.completed', event: { ...event } });
    await enqueueDeliveries(tx, stored);
  });
}

async function appendMany(bench: Bench, organizationId: string, count: number): Promise<void> {
  const event = sampleEvent('sync.completed');
  for (let done = 0; done < count; ) {
    await bench.db.transaction().execute(async (tx) => {
      for (let n = 0; n < 100 && done < count; n++, done++) {
        const stored = await appendEvent(tx, { organizationId, type: 'sync.completed', event });
        await enqueueDeliveries(tx, stored);
      }
    });
  }
}

async function tenant({ db, url }: Bench, path: string): Promise<string> {
  const { id } = await db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const keyRing = new KeyRing([Buffer.alloc(32, 1)]);
  await createWebhook({ db, keyRing }, id, { endpoint: `${url}${path}`, secret: 'bench secret' });
  return id;
}

async function startChild(file: string, environment: Record<string, string>) {
  const child = fork(path.join(import.meta.dirname, file), { env: { ...process.env, ...environment } });
  const [first] = (await once(child, 'message')) as [{ port: number }];
  return { child, first };
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function show(values: number[]): string {
  const round = (value: number) => Math.round(value).toLocaleString('en');
  return `${round(median(values))} (${round(Math.min(...values))}–${round(Math.max(...values))})`;
}

function ms(sorted: number[], share: number): string {
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return `${(sorted[index] ?? 0).toFixed(1)} ms`;
}
