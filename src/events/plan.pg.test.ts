import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { type DatabaseHandle, maintainPartitions, openDatabase } from '../db/index.ts';
import { type EventQuery, pageStatement } from './list.ts';
import { logSessions } from './log.ts';

const hour = 3_600_000;
const retention = 48 * hour;
/** The newest event is in the middle of a partition: one that has just begun is read as a whole, rightly. */
const end = Math.floor(Date.now() / (6 * hour)) * 6 * hour - 3 * hour;
let metadata: MetadataDatabase;
let sessions: DatabaseHandle;
const organizationId = crypto.randomUUID();

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  sessions = openDatabase(metadata.url, 1, logSessions);
  // As a server that has run for two days leaves them: 40,000 events of 20 organizations over 36 hours.
  for (let back = 42; back >= 0; back -= 6) {
    await maintainPartitions(metadata.db, retention, Date.now() - back * hour);
  }
  await metadata.query(
    `insert into tidemark.events (organization_id, created_at, id, type, event)
     select case when n % 20 = 0 then $1::uuid else md5((n % 20)::text)::uuid end,
       $2::timestamptz - interval '36 hours' + n * interval '3.24 seconds', gen_random_uuid(), 'sync.running', '{}'
     from generate_series(0, 39999) n`,
    [organizationId, ago(0)],
  );
  await metadata.query('analyze tidemark.events');
});
afterAll(async () => {
  await sessions.close();
  await metadata[Symbol.asyncDispose]();
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Loops': number;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** The scans that ran: what a query really touched. */
async function scans(query: Omit<EventQuery, 'organizationId' | 'retention'>): Promise<PlanNode[]> {
  const { text, values } = pageStatement({ ...query, organizationId, retention });
  const literals = values.map((value) => pg.escapeLiteral(String(value)));
  const { pool } = sessions;
  await pool.query(`prepare page as ${text}`);
  const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `explain (analyze, format json) execute page(${literals.join()})`,
  );
  await pool.query('deallocate page');
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (root === undefined) throw new Error('no plan');
  return flat(root).filter((node) => node['Relation Name'] !== undefined && node['Actual Loops'] > 0);
}

const ago = (hours: number) => new Date(end - hours * hour).toISOString();
const rowsOf = (nodes: PlanNode[]) =>
  nodes.reduce((sum, node) => sum + node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0), 0);
/** Partitions of the days to come are empty; looking into their index is all they cost. */
const withRows = (nodes: PlanNode[]) => nodes.filter((node) => node['Actual Rows'] > 0).length;

test('a page touches the partitions it needs, by index, and reads no more rows than it gives [P5]', async () => {
  const pages: [string, Omit<EventQuery, 'organizationId' | 'retention'>, number][] = [
    ['the newest', { ascending: false, limit: 10 }, 2],
    ['what came last', { ascending: true, after: ago(0.1), limit: 100 }, 2],
    ['far back', { ascending: true, after: ago(34), limit: 100 }, 2],
    ['between', { ascending: true, after: ago(29), before: ago(28.9), limit: 100 }, 1],
    ['before', { ascending: false, before: ago(20), limit: 10 }, 2],
  ];
  for (const [name, query, partitions] of pages) {
    const touched = await scans(query);
    const sequential = touched.filter((node) => node['Node Type'] === 'Seq Scan');
    expect(rowsOf(sequential), name).toBe(0);
    expect(withRows(touched), name).toBeLessThanOrEqual(partitions);
    expect(rowsOf(touched), name).toBeLessThanOrEqual(query.limit);
  }
});

test('partitions before a cursor are not opened', async () => {
  const touched = await scans({ ascending: true, after: ago(1), limit: 100 });
  const names = touched.map((node) => Number(node['Relation Name']?.split('_')[1]) * 1000);
  expect(names.length).toBeGreaterThan(0);
  expect(Math.min(...names)).toBeGreaterThan(end - 8 * hour);
});

test('a reader behind what nobody has analyzed yet still reads no more than its page', async () => {
  const { rows } = await sessions.pool.query<{ partition: string; last: string }>(
    'select tableoid::regclass::text as partition, created_at as last from events order by created_at desc limit 1',
  );
  const { partition = '', last = '' } = rows[0] ?? {};
  await sessions.pool.query(`alter table ${partition} set (autovacuum_enabled = off)`);
  await metadata.query(
    `insert into tidemark.events (organization_id, created_at, id, type, event)
     select $1, $2::timestamptz + n * interval '1 millisecond', gen_random_uuid(), 'sync.running', '{}'
     from generate_series(1, 5000) n`,
    [organizationId, last],
  );
  const touched = await scans({ ascending: true, after: last, limit: 100 });
  expect(rowsOf(touched)).toBe(100);
});
