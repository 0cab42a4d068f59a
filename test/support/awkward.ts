/** A PostgreSQL table `awkward` with values of every type that have gone wrong somewhere. */
export const awkward = `
create type mood as enum ('fine', 'so, so', 'da "quote"');
create domain positive as integer check (value > 0);
create domain code as varchar(8);
create domain short_code as code check (length(value) < 4);
create type pair as (a integer, b text);
create table awkward (
  id bigint generated always as identity primary key,
  n numeric, n2 numeric(20, 4), r real, d double precision, s smallint, b boolean,
  t text, v varchar(20), c char(6), "char" "char", by bytea, bits bit(5), vb bit varying,
  ts timestamp, tz timestamptz, da date, ti time, tt timetz, iv interval,
  j json, jb jsonb, x uuid, net inet, ci cidr, mac macaddr,
  ai integer[], at text[], an numeric(10,2)[], r4 int4range, rt tstzrange, mr int8multirange,
  tv tsvector, p point, lsn pg_lsn, rc regclass,
  mo mood, mos mood[], po positive, sc short_code, pa pair, pas pair[],
  double_id bigint generated always as (s * 2) stored
);
insert into awkward (n, n2, r, d, s, b, t, v, c, "char", by, bits, vb, ts, tz, da, ti, tt, iv, j, jb, x, net, ci, mac,
  ai, at, an, r4, rt, mr, tv, p, lsn, rc, mo, mos, po, sc, pa, pas) values
 (123456789012345678901234567890.123456789, 1234567890123456.7891, 0.1, 0.1, -32768, true,
  E'tab\\t newline\\n back\\\\slash "quote" 💥 \\\\N', '\\N', 'ab', 'x', '\\x00ff0a5c', b'10101', b'1',
  '2024-02-29 23:59:59.999999', '1999-12-31 23:59:59.000001+05:30', '0044-03-15 BC', '24:00:00', '12:00:00.5-03', '1 year -2 mons 3 days 00:00:00.000001',
  '{"a" : 1,  "a":2}', '{"b":1e400,"z":"\\u00e9"}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03',
  '[0:2]={1,NULL,3}', '{"a,b",NULL,"NULL","\\"q\\"",""}', '{{1.10,2.20},{3,4}}', '[1,10)', '(,2024-01-01]', '{[1,3),[5,8)}',
  'a:1 b:2', '(1.5,-2)', '16/B374D848', 'pg_class', 'so, so', '{fine,"da \\"quote\\""}', 7, 'abc', '(1,"x,y")', '{"(1,z)",NULL}'),
 ('NaN', 0.0000, 'Infinity', '-Infinity', 32767, false, '', '', '', '', '', b'00000', b'',
  'infinity', '-infinity', 'infinity', '00:00:00', '00:00:00+15:59:59', '-178000000 years', '[]', 'null', null, null, null, null,
  '{}', '{}', '{NaN}', 'empty', 'empty', '{}', '', null, null, null, 'fine', '{}', 1, null, '(,)', '{}'),
 ('-Infinity', null, 1e-45, 5e-324, null, null, null, null, null, null, null, null, null,
  '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00+00 BC', '5874897-12-31', null, null, null, null, null, null, null, null, null,
  null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`;
