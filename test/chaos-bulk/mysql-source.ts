import { setTimeout as pause } from 'node:timers/promises';
import { canonical, type Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';
import {
  changes,
  createSql,
  draftMysqlTable,
  isMoment,
  quietChanges,
  quoted,
  recreating,
} from './mysql-table.ts';
import { arrives, meaningOf, readSql } from './mysql-values.ts';
import type { Servers } from './servers.ts';
import { unsettleMariadb } from './sessions.ts';
import { note, type Row, type Snapshot, type Source } from './source.ts';
import { withoutView } from './source-table.ts';

export async function mysqlSource(servers: Servers, dice: Dice): Promise<Source> {
  const database = await servers.mariadb();
  const { query, name: databaseName } = database;
  const table = draftMysqlTable(dice);
  const rest = `insert into ${table.base} (id, at) values (9000001, null), (9000002, null), (9000003, null)`;
  const first = changes.insert?.(table, dice) ?? '';
  await query(withoutView(table, `${createSql(table)}; ${rest}; ${first}`));

  const fields = () => [
    { name: 'id', type: 'int' },
    { name: 'part', type: 'text character set utf8mb4 collate utf8mb4_german2_ci' },
    { name: 'at', type: table.clockType },
    ...table.columns,
  ];
  const read = () => {
    const list = fields().map(({ name, type }, index) => `${readSql(type, quoted(name))} as c${index}`);
    return query<Record<string, string | null>>(`select ${list.join(', ')} from t`);
  };
  const snapshot = async (): Promise<Snapshot> =>
    new Map(
      (await read()).map((row) => [row.c0 ?? '', { at: row.c2 ?? null, content: JSON.stringify(row) }]),
    );

  /** The second in which a table was made is all that tells it from the next one. */
  const nextSecond = async () => {
    const [row] = await query<{ wait: string }>(
      `select 1.01 - mod(unix_timestamp(sysdate(6)), 1) as wait, create_time from information_schema.tables
       where table_schema = '${databaseName}' and table_name = '${table.base}' and create_time >= sysdate() - interval 1 second`,
    );
    if (row !== undefined) await pause(Number(row.wait) * 1000);
  };
  return {
    type: 'mysql',
    configuration: database.configuration,
    schemaId: `${databaseName}.t`,
    override: table.form === 'view' && dice.chance(0.6) ? ['id'] : undefined,
    table,
    async change(dies) {
      const all = { ...changes, ...quietChanges };
      const name = dies.chance(0.3) ? dies.pick(['insert', 'update']) : dies.pick(Object.keys(all));
      if (recreating.has(name)) await nextSecond();
      const before = await snapshot();
      table.late = false;
      await query(all[name]?.(table, dies) ?? '');
      note(table, before, await snapshot(), name in quietChanges || table.late);
      return name;
    },
    unsettle: (dies) => unsettleMariadb(database, dies),
    terminate: database.terminate,
    async hide() {
      await query('rename table t to hidden');
      return async () => void (await query('rename table hidden to t'));
    },
    async rows() {
      const all = fields();
      const clock = isMoment(table) ? 'moment' : 'number';
      const meanings = new Map<string, Meaning>(
        all.map(({ name, type }) => [name, name === 'at' ? clock : meaningOf(type)]),
      );
      const rows = (await read()).map((row): Row => {
        const values = all.map(({ name, type }, index): [string, string | null] => {
          const text = row[`c${index}`] ?? null;
          const value = text === null ? null : arrives(type, text);
          return [name, value === null ? null : canonical(meanings.get(name) ?? 'text', value)];
        });
        return new Map(values);
      });
      return { rows, meanings };
    },
    [Symbol.asyncDispose]: database.giveBack,
  };
}
