import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { type Database, maintainPartitions, migrate, openDatabase } from '../src/db/index.ts';
import { appendEvent, sampleEvent } from '../src/events/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { createWebhook, enqueueDeliveries } from '../src/webhooks/index.ts';
import {
  createOrganizations,
  format,
  median,
  print,
  quantile,
  startChild,
  withServer,
  workerFlags,
} from './support.ts';

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
  await withServer(async (server) => {
    const databaseUrl = await server.database('bench');
    await migrate(databaseUrl);
    const { db, close } = openDatabase(databaseUrl);
    await maintainPartitions(db, 48 * 3_600_000);
    const { child, first } = await startChild<{ port: number }>('webhook-receiver-child.ts');
    const bench = { db, databaseUrl, receiver: child, url: `http://127.0.0.1:${first.port}` };
    try {
      await throughput(bench, Number(values.events), Number(values.repeat));
      await latencies(bench, Number(values.seconds));
    } finally {
      child.disconnect();
      await close();
    }
  });
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
  print('bare undici loop', bare, 'requests/s');
  print('deliveries, recorded and signed', ours, 'deliveries/s');
  print(
    'ratio, round by round',
    ours.map((rate, round) => rate / (bare[round] ?? 0)),
    '',
    2,
  );
  print('CPU of the worker', cpu, 'µs/delivery');
  console.log(`ratio of the medians                 ${format(median(ours) / median(bare), 2)}`);
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
  const worker = await startWorker(bench);
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
  const worker = await startWorker(bench);
  const good = await tenant(bench, '/timed');
  await measureLatency(bench, good, 2);
  const alone = await measureLatency(bench, good, seconds);
  console.log(`200 events/s, ${seconds} s, commit to arrival      ${latency(alone)}`);

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
  console.log(`the same beside 100 webhooks that hang   ${latency(beside)}`);
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
  return arrivals.map(([n, at]) => Math.max(0, at - (committed.get(n) ?? 0)));
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
  const [id = ''] = await createOrganizations(db, 1);
  const keyRing = new KeyRing([Buffer.alloc(32, 1)]);
  await createWebhook({ db, keyRing }, id, { endpoint: `${url}${path}`, secret: 'bench secret' });
  return id;
}

const startWorker = ({ databaseUrl }: Bench) =>
  startChild('webhook-worker-child.ts', { flags: workerFlags, environment: { DATABASE_URL: databaseUrl } });

function latency(times: number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => format(quantile(times, share), 1));
  return `p50 ${p50} ms  p99 ${p99} ms  max ${max} ms`;
}
