import pg from 'pg';

/** Sample rows, about 200,000 in all. */
const customers = 50_000;
const products = 2_000;
const orders = 150_000;

/**
 * The shop: generated inside PostgreSQL, the same at every run, with the values that data tools get wrong:
 * integers beyond a double, numerics of 40 digits, microseconds, infinity, arrays with NULLs and quotes, JSON
 * with large numbers, text in many scripts.
 */
const schema = `
create type order_state as enum ('open', 'paid', 'shipped');

create table customers (
  id bigint primary key, email text not null, name text, balance numeric(48, 10), tags text[],
  profile jsonb, joined timestamptz, updated_at timestamptz not null default now());
insert into customers
select 9007199254740993 + n, 'customer' || n || '@example.com',
  (array['Zoë Ångström', '李小龍', 'Ἀριστοτέλης', 'أحمد', '🌊 Müller "Bob" O''Neil', 'tab' || chr(9) || 'and' || chr(10) || 'line'])[n % 6 + 1],
  case n % 100 when 0 then 'NaN' else n * 1234567890123456789012345.0123456789 end,
  array['a,b', null, '"quoted"', '{' || n || '}'],
  jsonb_build_object('n', n, 'big', 18014398509481982123, 'nested', jsonb_build_array(null, true, 1.10)),
  case n % 1000 when 0 then 'infinity'::timestamptz when 1 then '-infinity'
    else timestamptz '2020-02-29 23:59:59.999999+00' + n * interval '1 minute 1 microsecond' end,
  timestamptz '2026-01-01 00:00:00+00'
from generate_series(1, ${customers}) n;

create table products (
  sku text primary key, price numeric(12, 4), sizes int4range, picture bytea, weight double precision);
insert into products
select 'SKU-' || n, n / 7.0, int4range(n % 40, n % 40 + 5), decode(md5(n::text), 'hex'),
  case n % 50 when 0 then 'Infinity'::float8 else sqrt(n) end
from generate_series(1, ${products}) n;

create table orders (
  id uuid primary key, customer_id bigint not null, sku text not null, state order_state not null,
  quantity int, paid_at timestamp, shipping interval);
insert into orders
select md5('order ' || n)::uuid, 9007199254740993 + 1 + n % ${customers}, 'SKU-' || (1 + n % ${products}),
  (array['open', 'paid', 'shipped']::order_state[])[n % 3 + 1], 1 + n % 9,
  case n % 3 when 0 then null else timestamp '2025-12-31 23:59:59.999999' - n * interval '1 second' end,
  n % 100 * interval '1 day 02:03:04.000005'
from generate_series(1, ${orders}) n;
analyze;`;

const target = `
create schema crm;
create table crm.contacts (
  customer_id bigint primary key, email text, name text, balance numeric, tags text[], profile jsonb,
  joined timestamptz);`;

/** What the demo changes between its two rounds. */
export const changedCustomers = 500;
export const newOrders = 25;

/** Columns of the tables that are replicated: the copies have those of Tidemark beside them. */
export const replicated = {
  customers: 'id, email, name, balance, tags, profile, joined, updated_at',
  products: 'sku, price, sizes, picture, weight',
  orders: 'id, customer_id, sku, state, quantity, paid_at, shipping',
};

/** Makes both databases anew. @param superuserUrl URL of any database on the server. */
export async function createSampleDatabases(
  superuserUrl: string,
): Promise<{ shop: string; warehouse: string }> {
  const admin = new pg.Client(superuserUrl);
  await admin.connect();
  for (const name of ['shop', 'warehouse']) {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name}`);
  }
  await admin.end();
  const urls = {
    shop: withDatabase(superuserUrl, 'shop'),
    warehouse: withDatabase(superuserUrl, 'warehouse'),
  };
  await query(urls.shop, schema);
  await query(urls.warehouse, target);
  return urls;
}

export async function changeShop(url: string): Promise<void> {
  await query(
    url,
    `update customers set email = 'new.' || email, updated_at = now() where id % ${customers / changedCustomers} = 0;
     insert into orders select md5('new order ' || n)::uuid, 9007199254740994, 'SKU-1', 'open', 1
     from generate_series(1, ${newOrders}) n`,
  );
}

export const rows = { customers, products, orders, total: customers + products + orders };

/** A digest of everything a query returns: two databases that agree on it hold the same values. */
export async function contentHash(url: string, text: string): Promise<string> {
  // md5 of each row, added up as numbers: independent of order, and no sort of 150,000 rows.
  const result = await query(
    url,
    `select count(*) || ':' || coalesce(sum(('x' || left(md5(r::text), 15))::bit(60)::bigint::numeric), 0) as hash
     from (${text}) r`,
  );
  return (result.rows[0] as { hash: string }).hash;
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  try {
    const result = await client.query(text);
    return Array.isArray(result) ? (result.at(-1) as pg.QueryResult) : result;
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
