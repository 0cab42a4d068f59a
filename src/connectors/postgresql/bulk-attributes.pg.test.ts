import { expect, onTestFinished, test } from 'vitest';
import { pair, replicate } from '../../../test/support/bulk-pair.ts';
import type { TestDatabase } from '../../../test/support/database.ts';

/** Everything that the catalogue has of a table, by the name of the catalogue, but for what is new each time. */
async function everything(database: TestDatabase, table: string): Promise<Record<string, unknown>> {
  const [row] = await database.query<Record<string, unknown>>(
    `select
       (select jsonb_build_object('owner', relowner::regrole::text, 'options', reloptions, 'replident', relreplident, 'rls', relrowsecurity,
         'force', relforcerowsecurity, 'acl', (select jsonb_agg(a::text order by a::text) from unnest(relacl) a),
         'toast', (select t.reloptions from pg_class t where t.oid = c.reltoastrelid)) from pg_class c where oid = $1::text::regclass) as class,
       (select jsonb_agg(jsonb_build_array(attname, attacl::text, attnotnull, attstorage, attcompression, attstattarget, attoptions,
         pg_get_expr(adbin, adrelid), format_type(atttypid, atttypmod)) order by attname)
         from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = $1::text::regclass and attnum > 0 and not attisdropped) as columns,
       (select jsonb_agg(concat(pg_get_constraintdef(oid), conname) order by conname) from pg_constraint where conrelid = $1::text::regclass and contype <> 'n') as constraints,
       (select jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid), indisclustered, indisreplident) order by 1)
         from (select * from pg_index where indrelid = $1::text::regclass order by pg_get_indexdef(indexrelid)) i) as indexes,
       (select jsonb_agg(concat(pg_get_triggerdef(oid), tgenabled) order by tgname) from pg_trigger where tgrelid = $1::text::regclass and not tgisinternal) as triggers,
       (select jsonb_agg(to_jsonb(p) order by policyname) from pg_policies p where schemaname || '.' || tablename = $1) as policies,
       (select jsonb_agg(pg_get_ruledef(oid) order by rulename) from pg_rewrite where ev_class = $1::text::regclass) as rules,
       (select jsonb_agg(pg_get_statisticsobjdef(oid) order by stxname) from pg_statistic_ext where stxrelid = $1::text::regclass) as statistics,
       (select jsonb_agg(jsonb_build_array(objsubid, description) order by objsubid) from pg_description
         where classoid = 'pg_class'::regclass and objoid = $1::text::regclass) as comments,
       (select jsonb_agg(to_jsonb(t) order by pubname) from pg_publication_tables t where schemaname || '.' || tablename = $1) as publications`,
    [table],
  );
  return row ?? {};
}

test('a table that is replaced keeps all that hangs on it, or what is lost is said', async () => {
  const both = await pair(`create table t (id int not null, name text, note text, n int);
    alter table t add primary key (id); insert into t values (1, 'a', 'x', 5), (2, 'b', 'y', 6)`);
  const { destination } = both;
  await replicate(both, 'public.t');
  const [one, two] = [`keeper_${process.pid}`, `reader_${process.pid}_all`];
  await destination.query(`create role ${one}; create role ${two}`);
  onTestFinished(async () => {
    await destination.query(`drop owned by ${one}, ${two}; drop role ${one}; drop role ${two}`);
  });
  await destination.query(`
    create function copy.audit() returns trigger language plpgsql as 'begin return new; end';
    create table copy.parent (id int primary key); insert into copy.parent values (5), (6);
    grant create, usage on schema copy to ${one};
    alter table copy.t alter name set not null, alter note set default 'none', alter note set storage external, alter note set compression pglz,
      alter n set statistics 50, alter n set (n_distinct = 7), add check (n > 0), add constraint "U" unique (name),
      add constraint fk foreign key (n) references copy.parent, add constraint itself foreign key (id) references copy.t deferrable,
      set (fillfactor = 70, toast.autovacuum_enabled = false);
    create index by_name on copy.t (lower(name)); alter table copy.t cluster on by_name;
    create unique index ident on copy.t (name, id); alter table copy.t replica identity using index ident;
    create trigger audit after insert on copy.t for each row when (new.n > 1) execute function copy.audit();
    create trigger off before update on copy.t for each row execute function copy.audit();
    alter table copy.t disable trigger off, enable row level security, force row level security;
    create policy mine on copy.t for select to ${two} using (n > 1); create policy w on copy.t as restrictive for insert with check (true);
    create rule silent as on update to copy.t where new.n < 0 do instead nothing;
    create statistics copy.st on name, note from copy.t;
    comment on table copy.t is 'it''s ours'; comment on column copy.t.name is 'a name';
    grant select on copy.t to public; grant insert on copy.t to ${two} with grant option; grant update (name, n) on copy.t to ${two};
    create publication parts for table copy.t (id, name) where (id > 1); create publication whole for table copy.t;
    alter table copy.t owner to ${one}`);
  const before = await everything(destination, 'copy.t');
  expect(await replicate(both, 'public.t')).toMatchObject({ changes: [] });
  expect(await everything(destination, 'copy.t')).toEqual(before);

  await destination.query(`alter table copy.t add column extra int; alter default privileges in schema copy grant delete on tables to ${two};
    drop publication parts, whole; alter table copy.t replica identity default`);
  await both.source.query('alter table t drop column note, drop column n');
  const { changes } = await replicate(both, 'public.t');
  expect(changes).toEqual(
    expect.arrayContaining([
      'column extra is lost',
      'default of column note is lost',
      expect.stringMatching(/^constraint t_n_check is lost: /),
      expect.stringMatching(/^constraint fk is lost: /),
      expect.stringMatching(/^trigger audit is lost: /),
      expect.stringMatching(/^policy mine is lost: /),
      expect.stringMatching(/^extended statistics st is lost: /),
    ]),
  );
  const [{ may } = { may: true }] = await destination.query<{ may: boolean }>(
    `select has_table_privilege('${two}', 'copy.t', 'delete') as may`,
  );
  expect(may).toBe(false);
  await destination.query(`alter default privileges in schema copy revoke delete on tables from ${two}`);
});

test('a table that is part of another, or that a function needs, is refused by name', async () => {
  const both = await pair('create table t as select 1 as id');
  await both.destination.query(`create schema copy; create table copy.whole (id int) partition by range (id);
    create table copy.t partition of copy.whole for values from (0) to (9)`);
  const refused = (reason: string) =>
    expect(replicate(both, 'public.t')).rejects.toThrow(`copy.t cannot be replaced because ${reason}`);
  await refused('it is a partition of copy.whole');
  await both.destination.query(
    `drop table copy.whole; create table copy.old (id int); create table copy.t () inherits (copy.old)`,
  );
  await refused('it is a table that inherits from copy.old');
  await both.destination.query(
    `drop table copy.old cascade; create table copy.t (id int); create table copy.row (t copy.t)`,
  );
  await refused('column t of table copy."row" depends on it');
  await both.destination.query(`drop table copy.row;
    create function copy.count() returns bigint language sql begin atomic select count(*) from copy.t; end`);
  await refused('function copy.count() depends on it');
});

test('a table that is made has the rights that new tables have', async () => {
  const both = await pair('create table t as select 1 as id');
  const role = `Reader.${process.pid}`;
  await both.destination.query(`create role "${role}"; create schema copy;
    alter default privileges in schema copy grant select on tables to "${role}"`);
  onTestFinished(async () => {
    await both.destination.query(`drop owned by "${role}"; drop role "${role}"`);
  });
  const may = () =>
    both.destination.query(`select has_table_privilege('${role}', 'copy.t', 'select') as may`);
  await replicate(both, 'public.t');
  expect(await may()).toEqual([{ may: true }]);
  expect(await replicate(both, 'public.t')).toMatchObject({ changes: [] });
  expect(await may()).toEqual([{ may: true }]);
});
