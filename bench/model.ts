import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { createConnection } from '../src/connections/index.ts';
import { maintainPartitions, migrate, openDatabase, startEmbeddedPostgres } from '../src/db/index.ts';
import { createEgress } from '../src/egress/index.ts';
import type { JsonObject } from '../src/lib/json.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { createModelSync } from '../src/model-syncs/index.ts';
import { createModel } from '../src/models/index.ts';
import { type Actor, bootstrap } from '../src/organizations/index.ts';
import { checkParity, fillOrders, orders, query } from './bulk-orders.ts';
import type { Measurement } from './model-child.ts';
import { webhookRounds } from './model-webhook.ts';
import { median, print, startChild, timed, workerFlags } from './support.ts';

const shell = promisify(execFile);

const names = 'external_id customer_id status amount email shipped attributes created_at updated_at'.split(
  ' ',
);

/**
 * Prints a first sync beside COPY and a merge by hand, then the same sync with nothing and with 1 % to do.
 * `--rows`, `--repeat`.
 */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: 'string', default: '1000000' }, repeat: { type: 'string', default: '3' } },
  });
  const rows = Number(values.rows);
  const repeat = Number(values.repeat);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres(folder);
  try {
    for (const name of ['metadata', 'shop', 'warehouse'])
      await query(server.url(), `create database ${name}`);
    await migrate(server.url('metadata'));
    const bench = await open(server.url('metadata'), path.join(folder, 'logs'));
    const [shop, warehouse] = [server.url('shop'), server.url('warehouse')];
    console.log(`${rows} records, ${os.availableParallelism()} cores, median of ${repeat} (min–max)`);
    await query(shop, orders('orders'), fillOrders(rows), 'vacuum analyze orders', 'checkpoint');
    const source = await bench.connect('postgresql', postgresql(shop));
    const target = await bench.connect('postgresql', postgresql(warehouse));

    const first: Measurement[] = [];
    const unchanged: Measurement[] = [];
    const changed: Measurement[] = [];
    const servers: number[] = [];
    const byHand: number[] = [];
    for (let round = 0; round < repeat; round++) {
      await query(warehouse, 'drop table if exists orders', orders('orders'), 'checkpoint');
      byHand.push(await timed(() => copyAndMerge(shop, warehouse)));
      await query(warehouse, 'drop table orders', orders('orders'), 'checkpoint');
      const sync = await bench.createSync(source, target, 'public.orders');
      const before = await cpuOfServers(server.pid);
      first.push(await bench.execute(sync));
      servers.push((await cpuOfServers(server.pid)) - before);
      await checkParity(shop, warehouse, 'orders');
      unchanged.push(await bench.execute(sync));
      await query(shop, `update orders set amount = amount + 1 where id % 100 = ${round}`, 'vacuum orders');
      changed.push(await bench.execute(sync));
      await checkParity(shop, warehouse, 'orders');
    }
    const rates = (seconds: number[]) => seconds.map((one) => rows / one);
    const seconds = (list: Measurement[]) => list.map((one) => one.seconds);
    const memory = (list: Measurement[]) =>
      print(
        '',
        list.map((one) => one.megabytes),
        'MB of memory',
      );
    print('first sync', rates(seconds(first)), 'records/s');
    print(
      '',
      first.map((one) => (one.cpuSeconds * 1e6) / rows),
      'µs of own CPU per record',
      2,
    );
    print(
      '',
      servers.map((one) => (one * 1e6) / rows),
      'µs of the servers’ CPU per record',
      2,
    );
    memory(first);
    print('COPY and merge by hand', rates(byHand), 'records/s');
    console.log(`ratio: ${(median(rates(seconds(first))) / median(rates(byHand))).toFixed(2)}`);
    for (const [name, list] of [
      ['nothing changed', unchanged],
      ['1 % changed', changed],
    ] as const) {
      print(name, seconds(list), 's', 2);
      print(
        '',
        list.map((one) => one.cpuSeconds),
        's of own CPU',
        2,
      );
      memory(list);
    }
    await webhookRounds(
      async (url) =>
        bench.execute(await bench.createSync(source, await bench.connect('webhook', { url }), 'http')),
      rows,
      repeat,
      path.join(folder, 'bodies'),
    );
    await bench.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A metadata database with an organization, and what it takes to sync in it. */
async function open(metadata: string, recordLogFolder: string) {
  const { db, close } = openDatabase(metadata);
  await maintainPartitions(db, 3_600_000);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const deps = { db, keyRing: new KeyRing([Buffer.alloc(32, 1)]), egress };
  const { organizationId, userId } = await bootstrap({ db });
  const actor: Actor = { id: userId, name: 'bench', type: 'user' };
  return {
    async connect(type: string, configuration: JsonObject): Promise<string> {
      const settings = { type, name: crypto.randomUUID(), configuration, validate: false };
      return (await createConnection(deps, organizationId, actor, settings)).id;
    },
    async createSync(source: string, connection_id: string, object: string): Promise<string> {
      const model = await createModel(deps, organizationId, actor, {
        name: 'orders',
        connection_id: source,
        configuration: { table: 'public.orders' },
        identifier: 'id',
      });
      const from = (field: string) => ({ model_id: model.id, field });
      const webhook = object === 'http';
      const sync = await createModelSync(deps, organizationId, actor, {
        name: 'orders',
        mode: 'updateOrCreate',
        schedule: {},
        identity: { source: from('id'), target: webhook ? 'record' : 'id', function: 'Equality' },
        fields: names.map((field) => ({ source: from(field), target: webhook ? 'record' : field })),
        target: { connection_id, object },
      });
      return sync.id;
    },
    async execute(sync: string): Promise<Measurement> {
      const { child, first } = await startChild<Measurement>('model-child.ts', {
        args: [metadata, recordLogFolder, organizationId, sync],
        flags: workerFlags,
      });
      if (child.exitCode === null) await once(child, 'exit');
      return first;
    },
    async close() {
      await egress.close();
      await close();
    },
  };
}

/** Seconds that the sessions which have ended took, of all three databases: they are on one server here. */
async function cpuOfServers(postmaster: number): Promise<number> {
  if (process.platform !== 'linux') return Number.NaN;
  const text = await readFile(`/proc/${postmaster}/stat`, 'utf8');
  // Behind the name: fields 16 and 17 of proc(5), in hundredths.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function postgresql(url: string): JsonObject {
  const { hostname, port, username, password, pathname } = new URL(url);
  const database = pathname.slice(1);
  return { hostname, port: Number(port), username, password, database, ssl: false };
}

/** What somebody who needs it once writes: the records into a table beside it, and one merge. */
async function copyAndMerge(shop: string, warehouse: string): Promise<void> {
  const set = names.map((name) => `${name} = excluded.${name}`).join(', ');
  const merge = `begin; create temporary table staged (like orders) on commit drop;
    copy staged from stdin (format binary);
    insert into orders select * from staged on conflict (id) do update set ${set}; commit`;
  // psql reads the rows where the statement asks for them, so the merge comes as several commands.
  const [before = '', after = ''] = merge.split('copy staged from stdin (format binary);');
  const script = `psql "$0" -qc 'copy orders to stdout (format binary)' |
    psql "$1" -qc '${before}' -c 'copy staged from stdin (format binary)' -c '${after}'`;
  await shell('bash', ['-o', 'pipefail', '-c', script, shop, warehouse]);
}
