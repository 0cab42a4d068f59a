import { setTimeout as pause } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Server } from '../../server.ts';
import type { Client } from '../client.ts';
import type { DemoReceiver } from './receiver.ts';
import { type Counts, number, runBulkSync, runModelSync } from './run.ts';
import type { Screen } from './screen.ts';
import { changedCustomers, changeShop, contentHash, newOrders, replicated, rows } from './shop.ts';
import type { DemoSyncs } from './syncs.ts';

export interface Stage {
  client: Client;
  screen: Screen;
  server: Server;
  receiver: DemoReceiver;
  databases: { shop: string; warehouse: string };
  syncs: DemoSyncs;
}

/** Six executions, each announced as running and as completed. */
const expectedEvents = 12;

/** Runs everything twice, with changes in between, and checks what came of it. @returns whether all is right. */
export async function tellStory(stage: Stage): Promise<boolean> {
  const { screen, databases, syncs } = stage;
  screen.heading('First run: everything is new');
  await runBulkSync(stage, syncs.bulk, 'Shop → warehouse (bulk)', rows.total);
  const first = await runModelSync(stage, syncs.contacts, 'Customers → crm.contacts');
  const sent = await runModelSync(stage, syncs.records, 'Customers → webhook');

  screen.heading(`${number(changedCustomers)} customers change, ${newOrders} orders come in: second run`);
  await changeShop(databases.shop);
  await runBulkSync(stage, syncs.bulk, 'Shop → warehouse (bulk)', rows.total);
  const second = await runModelSync(stage, syncs.contacts, 'Customers → crm.contacts');
  const resent = await runModelSync(stage, syncs.records, 'Customers → webhook');

  screen.heading('What is true now');
  const checks = [
    check('first sync inserted every customer', first.counts, {
      insert: rows.customers,
      update: 0,
      error: 0,
    }),
    check('second sync sent updates only', second.counts, { insert: 0, update: changedCustomers, error: 0 }),
    check('webhook got every record', sent.counts, { upserts: rows.customers, error: 0 }),
    check('then the changed ones only', resent.counts, { upserts: changedCustomers, error: 0 }),
    ...(await parity(stage)),
    ...(await announcements(stage)),
  ];
  for (const { ok, text } of checks) screen.check(ok, text);
  await showRecordLog(stage, second.id);
  await showEvents(stage);
  const ok = checks.every((one) => one.ok);
  screen.heading(
    ok ? styleText('green', 'Everything as expected.') : styleText('red', 'Something differs, see ✗ above.'),
  );
  return ok;
}

interface Check {
  ok: boolean;
  text: string;
}

function check(text: string, counts: Counts, expected: Partial<Counts>): Check {
  const ok = Object.entries(expected).every(([name, count]) => counts[name as keyof Counts] === count);
  return {
    ok,
    text: ok ? text : `${text}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(counts)}`,
  };
}

/** By content, not by counts: every value of every row is in the hash. */
async function parity({ databases, receiver }: Stage): Promise<Check[]> {
  const pairs = [
    [
      'crm.contacts',
      'select id, email, name, balance, tags, profile, joined from customers',
      'select * from crm.contacts',
    ],
    ...Object.entries(replicated).map(([table, columns]) => [
      `warehouse.${table}`,
      `select ${columns} from ${table}`,
      `select ${columns} from warehouse.${table}`,
    ]),
  ] as [string, string, string][];
  const checks = pairs.map(async ([name, from, to]) => {
    const [source, target] = await Promise.all([
      contentHash(databases.shop, from),
      contentHash(databases.warehouse, to),
    ]);
    const count = number(Number(source.split(':')[0]));
    return { ok: source === target, text: `${name.padEnd(20)} equals its source, by content: ${count} rows` };
  });
  const records = receiver.records.size;
  const expected = rows.customers + changedCustomers;
  return [
    ...(await Promise.all(checks)),
    { ok: records === expected, text: `${number(records)} distinct records arrived at the custom webhook` },
  ];
}

/** Every event in the log arrived by webhook, alike and well signed. */
async function announcements({ client, receiver }: Stage): Promise<Check[]> {
  for (let patience = 100; receiver.events.length < expectedEvents && patience > 0; patience--)
    await pause(100);
  const listed = await client.get<{ type: string; event: object }[]>('/api/events?limit=100');
  const key = ({ type, event }: { type: string; event: object }) => JSON.stringify([type, event]);
  const arrived = new Set(receiver.events.map(key));
  const same = listed.length === receiver.events.length && listed.every((event) => arrived.has(key(event)));
  return [
    { ok: listed.length === expectedEvents, text: `${listed.length} events in the log, for 6 executions` },
    { ok: same, text: 'each arrived once by webhook, with the same payload' },
    { ok: receiver.events.every((event) => event.signatureOk), text: 'every signature verified' },
  ];
}

async function showRecordLog({ client, screen, server, syncs }: Stage, executionId: string): Promise<void> {
  const { urls } = await client.get<{ urls: string[] }>(
    `/api/syncs/${syncs.contacts}/executions/${executionId}/updates`,
  );
  // As text: JSON.parse would round the large number in it.
  const lines = (await (await fetch(urls[0] ?? '')).text())
    .split('\n')
    .filter((line) => line.startsWith('{'));
  screen.heading('Record logs');
  screen.line(`in ${server.directory.recordLogs}`);
  screen.line(`updates of the second run: ${lines.length} records; the first one:`);
  screen.line(styleText('dim', lines[0]?.replace(/,$/, '') ?? ''));
}

async function showEvents({ client, screen }: Stage): Promise<void> {
  const [newest] = await client.get<object[]>('/api/events?limit=1&type=sync.completed');
  screen.heading('GET /api/events?limit=1&type=sync.completed');
  for (const line of JSON.stringify(newest, null, 2).split('\n')) screen.line(styleText('dim', line));
}
