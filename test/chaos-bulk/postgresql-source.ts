import { canonical, type Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';
import { changes, createSql, draftPostgresqlTable, quietChanges } from './postgresql-table.ts';
import { meaningOf, ownTypes, readSql } from './postgresql-values.ts';
import type { Servers } from './servers.ts';
import { unsettlePostgresql } from './sessions.ts';
import { note, quoted, type Row, type Snapshot, type Source } from './source.ts';
import { withoutView } from './source-table.ts';

export async function postgresqlSource(servers: Servers, dice: Dice): Promise<Source> {
  const database = await servers.postgresql();
  const { query } = database;
  const table = draftPostgresqlTable(dice);
  const rest = `insert into ${table.base} (id, at) select n, null from generate_series(9000001, 9000004) n`;
  const first = changes.insert?.(table, dice) ?? '';
  await query(`${ownTypes}; ${withoutView(table, `${createSql(table)}; ${rest}; ${first}`)}`);

  const snapshot = async (): Promise<Snapshot> => {
    const rows = await query<{ id: string; at: string | null; content: string }>(
      'select id::text, at::text, md5(t::text) as content from t',
    );
    return new Map(rows.map(({ id, ...row }) => [id, row]));
  };
  return {
    type: 'postgresql',
    configuration: database.configuration,
    schemaId: 'public.t',
    override: table.form === 'view' && dice.chance(0.6) ? ['id'] : undefined,
    table,
    async change(dies) {
      const all = { ...changes, ...quietChanges };
      const name = dies.chance(0.3) ? dies.pick(['insert', 'update']) : dies.pick(Object.keys(all));
      const before = await snapshot();
      table.late = false;
      const sql = all[name]?.(table, dies) ?? '';
      await query(`begin; ${sql}; commit`);
      note(table, before, await snapshot(), name in quietChanges || table.late);
      return name;
    },
    unsettle: (dies) => unsettlePostgresql(database, dies),
    terminate: database.terminate,
    async hide() {
      await query(`alter table t rename to hidden`);
      return async () => void (await query(`alter table hidden rename to t`));
    },
    async rows() {
      const fields = [
        { name: 'id', type: 'integer' },
        { name: 'part', type: 'text' },
        { name: 'at', type: table.clockType },
        ...table.columns,
      ];
      const meanings = new Map<string, Meaning>(
        fields.map(({ name, type }) => [name, type === 'timestamp(3)' ? 'moment' : meaningOf(type)]),
      );
      const list = fields.map(({ name, type }, index) => `${readSql(type, quoted(name))} as c${index}`);
      const found = await query<Record<string, string | null>>(`select ${list.join(', ')} from public.t`);
      const rows = found.map((row): Row => {
        const values = fields.map(({ name }, index): [string, string | null] => {
          const value = row[`c${index}`] ?? null;
          return [name, value === null ? null : canonical(meanings.get(name) ?? 'text', value)];
        });
        return new Map(values);
      });
      return { rows, meanings };
    },
    [Symbol.asyncDispose]: database.giveBack,
  };
}
