/** Types of PostgreSQL with the values at their edges, as SQL expressions. Every list begins with an ordinary one. */
export const values: readonly [type: string, ...expressions: string[]][] = [
  ['smallint', '1', '-32768', '32767'],
  ['integer', '1', '-2147483648', '2147483647'],
  ['bigint', '1', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  [
    'numeric',
    '1.10',
    `repeat('9', 60)::numeric`,
    '0.00000000000000000000000000000000000001',
    `'NaN'`,
    '-0.0',
    '123.4500',
  ],
  ['numeric(38,10)', '1', '9999999999999999999999999999.9999999999', '-0.0000000001'],
  ['numeric(65,30)', '1', `(repeat('9', 35) || '.' || repeat('9', 30))::numeric`],
  ['real', '0.1', '3.4028235e38', '1.4e-45', `'NaN'`, `'Infinity'`, `'-Infinity'`, `'-0'`],
  [
    'double precision',
    '0.1',
    '1.7976931348623157e308',
    '5e-324',
    `'NaN'`,
    `'Infinity'`,
    `'-Infinity'`,
    `'-0'`,
  ],
  ['boolean', 'true', 'false'],
  [
    'text',
    `'a'`,
    `''`,
    `'NULL'`,
    `'\\N'`,
    `E'tab\\t line\\n return\\r back\\\\slash \\b\\f\\v'`,
    `'Ünïcødé 💥 ''quotes'' "double"'`,
    `repeat('long ', 5000)`,
    `' spaces '`,
  ],
  ['varchar(20)', `'a'`, `''`, `'exactly twenty chars'`, `'trailing  '`],
  ['char(6)', `'ab'`, `''`, `'sixsix'`],
  ['bytea', `'\\x61'`, `''`, `decode(string_agg_bytes(), 'hex')`],
  [
    'date',
    `'2024-02-29'`,
    `'infinity'`,
    `'-infinity'`,
    `'0044-03-15 BC'`,
    `'5874897-12-31'`,
    `'0001-01-01'`,
    `'9999-12-31'`,
  ],
  [
    'timestamp',
    `'2024-02-29 23:59:59.999999'`,
    `'infinity'`,
    `'-infinity'`,
    `'0044-03-15 12:00 BC'`,
    `'294276-12-31 23:59:59.999999'`,
    `'1969-12-31 23:59:59.000001'`,
  ],
  [
    'timestamptz',
    `'2024-02-29 23:59:59.999999+05:30'`,
    `'infinity'`,
    `'-infinity'`,
    `'0044-03-15 12:00+00 BC'`,
    `'1999-12-31 23:59:59.000001-11'`,
  ],
  ['time', `'12:34:56.789012'`, `'24:00:00'`, `'00:00:00'`],
  ['timetz', `'12:00:00.5-03'`, `'24:00:00+00'`, `'00:00:00+15:59:59'`],
  [
    'interval',
    `'1 year -2 mons 3 days 00:00:00.000001'`,
    `'-178000000 years'`,
    `'0'`,
    `'838:59:59'`,
    `'-25 hours'`,
  ],
  [
    'json',
    `'{"a" : 1,  "a":2}'`,
    `'[1e400, 18014398509481982123, 0.1000]'`,
    `'null'`,
    `'"\\u00e9 \\" \\\\ 💥"'`,
  ],
  ['jsonb', `'{"b":1e400,"z":"\\u00e9"}'`, `'18014398509481982123'`, `'[]'`],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, `'00000000-0000-0000-0000-000000000000'`],
  ['inet', `'10.0.0.1/8'`, `'::1'`],
  ['cidr', `'10.0.0.0/8'`],
  ['macaddr', `'08:00:2b:01:02:03'`],
  ['bit(5)', `b'10101'`, `b'00000'`],
  ['bit varying', `b'1'`, `b''`, `b'101010101010101010101010101010101010101010101010101010101010101010101'`],
  ['integer[]', `'{1,NULL,3}'`, `'{}'`, `'[0:2]={1,NULL,3}'`, `'{{1,2},{3,4}}'`],
  ['text[]', `'{a,b}'`, `'{"a,b",NULL,"NULL","\\"q\\"","","back\\\\slash","{}"}'`],
  ['numeric(10,2)[]', `'{1.10,NULL}'`],
  ['int4range', `'[1,10)'`, `'empty'`, `'(,5)'`],
  ['tstzrange', `'(,2024-01-01 00:00:00.000001+00]'`],
  ['int8multirange', `'{[1,3),[5,8)}'`],
  ['tsvector', `'a:1 b:2'`],
  ['point', `'(1.5,-2)'`],
  ['xml', `'<a b="1">&amp;</a>'`],
  ['money', `12.34::money`, `(-92233720368547758.08)::money`],
  ['pg_lsn', `'16/B374D848'`],
  ['mood', `'so, so'`, `'da "quote"'`],
  ['positive', '7'],
  ['pair', `'(1,"x,y")'`, `'(,)'`],
];

const names = values.map(([type], index) => ({ type, name: `c${index}` }));

/** A table `edges` with a column of every type, `c0` to `c…`, and a row for every place in the longest list. */
export const edges = `
create function string_agg_bytes() returns text language sql immutable as
  $$ select string_agg(lpad(to_hex(i), 2, '0'), '' order by i) from generate_series(0, 255) i $$;
create type mood as enum ('fine', 'so, so', 'da "quote"');
create domain positive as integer check (value > 0);
create type pair as (a integer, b text);
create table edges (id integer primary key, ${names.map(({ name, type }) => `${name} ${type}`).join(', ')});
${Array.from({ length: Math.max(...values.map((list) => list.length)) }, (_, row) => {
  const list = values.map(([, ...expressions]) => (row === 0 ? 'null' : (expressions[row - 1] ?? 'null')));
  return `insert into edges values (${row}, ${list.join(', ')});`;
}).join('\n')}`;

export const columns: readonly { type: string; name: string }[] = names;
