/** The table that `npm run bench bulk` and `model` copy, and how it is looked at from outside. */
import pg from 'pg';

/** @param key what follows the key's column. */
export const orders = (name: string, key = ' primary key') => `create table ${name} (
  id bigint${key}, external_id uuid not null, customer_id integer not null, status text not null,
  amount numeric(12, 2) not null, email text, shipped boolean, attributes jsonb,
  created_at timestamptz not null, updated_at timestamptz)`;

export const fillOrders = (rows: number) => `
  insert into orders select i, md5(i::text)::uuid, i % 50000,
    (array['new', 'paid', 'shipped', 'returned'])[1 + i % 4], (i % 100000) / 100.0,
    'customer' || i % 50000 || '@example.com', i % 2 = 0,
    case when i % 5 > 0 then jsonb_build_object('channel', 'web', 'items', i % 7, 'note', md5((i + 1)::text)) end,
    timestamptz '2024-01-01' + i * interval '1.000001 s',
    case when i % 3 > 0 then timestamptz '2025-01-01' + i * interval '1 s' end
  from generate_series(1, ${rows}) i`;

export async function checkParity(source: string, destination: string, copy: string): Promise<void> {
  const columns = `id, external_id, customer_id, status, amount, email, shipped, attributes, created_at, updated_at`;
  const hash = (relation: string) =>
    `select count(*) as rows, sum(hashtextextended(row(${columns})::text, 0)) as hash from ${relation}`;
  const [[there], [here]] = [await query(source, hash('orders')), await query(destination, hash(copy))];
  if (there?.rows !== here?.rows || there?.hash !== here?.hash)
    throw new Error(`${copy} differs from its source`);
}

/** Runs statements one by one, returns the last one's rows. */
export async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  let rows: Record<string, unknown>[] = [];
  for (const statement of statements) ({ rows } = await client.query(statement));
  await client.end();
  return rows;
}
