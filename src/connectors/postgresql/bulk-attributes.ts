import pg, { type Client } from 'pg';
import { messageOf } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';
import { ownColumns, qualified } from './bulk-names.ts';
import { readState } from './bulk-state.ts';
import { ask } from './transaction.ts';

/** Something that is attached to a table, beside its rows and columns. */
export interface Attribute {
  /** For people: `trigger audit`. */
  name: string;
  /**
   * Gives it to a table that has taken the name of the one it was on. Null where it cannot be given again: then a replacement
   * loses it.
   */
  statement: string | null;
  /** A table that has it is not replaced at all: what would go is not the table's alone. */
  binds?: true;
}

/**
 * Everything that hangs on a table and goes when it is dropped, by what the catalogue has beside pg_class: $1 is its oid, $2
 * the names of the columns that the table will have. Indexes and constraints, which take the time of reading all rows, are
 * in bulk-indexes.ts.
 *
 * The system's path has none of the user's schemas, so that definitions name everything in full.
 */
const attributesQuery = `
with t as (
  select c.*, format('%I.%I', n.nspname, c.relname) as full_name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1
), a as (
  select a.*, quote_ident(a.attname) as quoted, a.attname = any($2::name[]) as stays
  from pg_attribute a where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
), grants as (
  select g.privilege_type as privilege, g.is_grantable, null::name as col, null::text as quoted,
    case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end as grantee
  from t, aclexplode(t.relacl) g where g.grantee <> t.relowner
  union all
  select g.privilege_type, g.is_grantable, a.attname, a.quoted,
    case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end
  from t, a, aclexplode(a.attacl) g where a.stays and g.grantee <> t.relowner
)
select * from (
  -- What binds it to others.
  select 0 as step, 'a partition of ' || i.inhparent::regclass::text as name, null as statement, true as binds
    from t join pg_inherits i on i.inhrelid = t.oid where t.relispartition
  union all select 0, 'a table that inherits from ' || i.inhparent::regclass::text, null, true
    from t join pg_inherits i on i.inhrelid = t.oid where not t.relispartition
  union all select 0, 'a table that ' || i.inhrelid::regclass::text || ' inherits from', null, true
    from t join pg_inherits i on i.inhparent = t.oid
  -- Of pg_subscription itself not every server lets everybody read the oid.
  union all select 0, 'a table of subscription ' || coalesce((select min(s.subname::text) from pg_stat_subscription s
      where s.subid = r.srsubid), r.srsubid::text), null, true
    from t join pg_subscription_rel r on r.srrelid = t.oid
  -- What the table is.
  union all select 9, 'owner ' || pg_get_userbyid(t.relowner),
    format('alter table %s owner to %I', t.full_name, pg_get_userbyid(t.relowner)), false
    from t where pg_get_userbyid(t.relowner) <> current_user
  union all select 1, 'storage setting ' || o, format('alter table %s set (%s)', t.full_name, o), false
    from t, unnest(t.reloptions) o
  union all select 1, 'storage setting toast.' || o, format('alter table %s set (toast.%s)', t.full_name, o), false
    from t join pg_class toast on toast.oid = t.reltoastrelid, unnest(toast.reloptions) o
  -- To move what has been loaded would take as long again.
  union all select 1, 'tablespace ' || s.spcname, null, false from t join pg_tablespace s on s.oid = t.reltablespace
  union all select 1, 'unlogged', null, false from t where t.relpersistence = 'u'
  union all select 1, 'access method ' || m.amname, null, false
    from t join pg_am m on m.oid = t.relam where m.amname <> current_setting('default_table_access_method')
  union all select 1, 'type ' || t.reloftype::regtype::text, null, false from t where t.reloftype <> 0
  -- Its columns.
  union all select 1, 'column ' || a.attname, null, false from a where not a.stays and a.attname <> all($3::name[])
  union all select 1, 'default of column ' || a.attname,
    case when a.stays then format('alter table %s alter column %s set default %s', t.full_name, a.quoted,
      pg_get_expr(d.adbin, d.adrelid)) end, false
    from t, a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attgenerated = ''
  union all select 1, 'generation of column ' || a.attname, null, false from a where a.attgenerated <> '' or a.attidentity <> ''
  union all select 1, 'not null of column ' || a.attname,
    format('alter table %s alter column %s set not null', t.full_name, a.quoted), false
    from t, a where a.attnotnull and a.stays and a.attidentity = '' and not exists (
      select from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any(i.indkey::int2[]))
  union all select 1, 'storage of column ' || a.attname,
    format('alter table %s alter column %s set storage %s', t.full_name, a.quoted,
      case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end), false
    from t, a join pg_type y on y.oid = a.atttypid where a.stays and a.attstorage <> y.typstorage
  -- Servers before 14 have none.
  union all select 1, 'compression of column ' || a.attname,
    format('alter table %s alter column %s set compression %s', t.full_name, a.quoted,
      case to_jsonb(a)->>'attcompression' when 'l' then 'lz4' else 'pglz' end), false
    from t, a where a.stays and to_jsonb(a)->>'attcompression' <> ''
  union all select 1, 'statistics target of column ' || a.attname,
    format('alter table %s alter column %s set statistics %s', t.full_name, a.quoted, a.attstattarget), false
    from t, a where a.stays and a.attstattarget >= 0
  union all select 1, 'setting of column ' || a.attname || ' ' || o,
    format('alter table %s alter column %s set (%s)', t.full_name, a.quoted, o), false
    from t, a, unnest(a.attoptions) o where a.stays
  -- What is said of it.
  union all select 2, 'comment', format('comment on table %s is %L', t.full_name, d.description), false
    from t join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = t.oid and d.objsubid = 0
  union all select 2, 'comment on column ' || a.attname,
    case when a.stays then format('comment on column %s.%s is %L', t.full_name, a.quoted, d.description) end, false
    from t, a join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = a.attrelid and d.objsubid = a.attnum
  union all select 2, 'security label of ' || l.provider,
    case when l.objsubid = 0 then format('security label for %I on table %s is %L', l.provider, t.full_name, l.label)
      else format('security label for %I on column %s.%s is %L', l.provider, t.full_name, (
        select a.quoted from a where a.attnum = l.objsubid), l.label) end, false
    from t join pg_seclabel l on l.classoid = 'pg_class'::regclass and l.objoid = t.oid
  -- What it does.
  union all select 3, 'extended statistics ' || s.stxname, pg_get_statisticsobjdef(s.oid), false
    from t join pg_statistic_ext s on s.stxrelid = t.oid
  union all select 4, 'trigger ' || g.tgname, pg_get_triggerdef(g.oid), false
    from t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
  union all select 5, 'state of trigger ' || g.tgname, format('alter table %s %s trigger %I', t.full_name,
      case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, g.tgname), false
    from t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal and g.tgenabled <> 'O'
  union all select 4, 'rule ' || r.rulename, pg_get_ruledef(r.oid), false
    from t join pg_rewrite r on r.ev_class = t.oid where r.rulename <> '_RETURN'
  union all select 4, 'policy ' || p.polname, format('create policy %I on %s as %s for %s to %s%s%s', p.polname, t.full_name,
      case when p.polpermissive then 'permissive' else 'restrictive' end,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      (select string_agg(case r when 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ') from unnest(p.polroles) r),
      ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'), false
    from t join pg_policy p on p.polrelid = t.oid
  union all select 5, 'row-level security', format('alter table %s enable row level security', t.full_name), false
    from t where t.relrowsecurity
  union all select 5, 'row-level security of the owner', format('alter table %s force row level security', t.full_name), false
    from t where t.relforcerowsecurity
  union all select 6, 'replica identity', format('alter table %s replica identity %s', t.full_name, case t.relreplident
      when 'n' then 'nothing' when 'f' then 'full' else 'using index ' || (select quote_ident(x.relname) from pg_index i
        join pg_class x on x.oid = i.indexrelid where i.indrelid = t.oid and i.indisreplident) end), false
    from t where t.relreplident <> 'd'
  -- It refers to the table itself, which has to have its name.
  union all select 6, 'constraint ' || k.conname,
    format('alter table %s add constraint %I %s', t.full_name, k.conname, pg_get_constraintdef(k.oid)), false
    from t join pg_constraint k on k.conrelid = t.oid and k.confrelid = t.oid and k.contype = 'f'
  union all select 6, 'cluster order by ' || x.relname, format('alter table %s cluster on %I', t.full_name, x.relname), false
    from t join pg_index i on i.indrelid = t.oid and i.indisclustered join pg_class x on x.oid = i.indexrelid
  union all select 7, 'publication ' || p.pubname, concat(format('alter publication %I add table %s', p.pubname, t.full_name),
      ' (' || (select string_agg(a.quoted, ', ' order by a.attnum) from a
        where to_jsonb(r)->'prattrs' @> to_jsonb(a.attnum)) || ')',
      ' where ' || (to_jsonb(v)->>'rowfilter')), false
    from t join pg_publication_rel r on r.prrelid = t.oid join pg_publication p on p.oid = r.prpubid
      left join pg_publication_tables v on v.pubname = p.pubname and v.tablename = t.relname
        and v.schemaname = (select nspname from pg_namespace where oid = t.relnamespace)
  -- Who may use it: last, the owner's own rights end with the ownership.
  union all select 8, 'grant of ' || lower(g.privilege) || coalesce(' on column ' || g.col, '') || ' to ' || g.grantee,
    format('grant %s%s on %s to %s%s', g.privilege, ' (' || g.quoted || ')', t.full_name, g.grantee,
      case when g.is_grantable then ' with grant option' else '' end), false
    from t, grants g
) attributes order by step, name`;

/** @param oid of the live table of an output. */
export async function attributesOf(client: Client, output: BulkOutput, oid: number): Promise<Attribute[]> {
  const stays = [...output.columns.map(({ outputName }) => outputName), ...ownColumns(output)];
  const fromSource = (await readState(client, output))?.columns ?? [];
  const { rows } = await ask<Attribute>(client, attributesQuery, [oid, stays, fromSource]);
  return rows;
}

/** Gives a table what the one had whose place it has taken. @returns what it cannot have, for people. */
export async function giveAttributes(
  client: Client,
  output: BulkOutput,
  attributes: readonly Attribute[],
): Promise<string[]> {
  const lost: string[] = [];
  await dropDefaultGrants(client, output);
  for (const { name, statement } of attributes) {
    if (statement === null) {
      lost.push(`${name} is lost`);
      continue;
    }
    await client.query('savepoint attribute');
    try {
      await client.query(statement);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      await client.query('rollback to savepoint attribute');
      lost.push(`${name} is lost: ${messageOf(error)}`);
    }
    await client.query('release savepoint attribute');
  }
  return lost;
}

/** Rights that every new table of ours has, but perhaps not the one it replaces. */
async function dropDefaultGrants(client: Client, output: BulkOutput): Promise<void> {
  const table = qualified(output);
  const { rows } = await ask<{ grantee: string }>(
    client,
    `select distinct case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end as grantee
     from pg_class c, aclexplode(c.relacl) g where c.oid = $1::regclass and g.grantee <> c.relowner`,
    [table],
  );
  for (const { grantee } of rows) await client.query(`revoke all on ${table} from ${grantee}`);
}
