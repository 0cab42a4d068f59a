import path from 'node:path';
import { tempFolder } from '../../lib/temp-folder.ts';
import type { OutgoingRecord } from '../contract.ts';
import { literal, openEngine } from '../duckdb-engine/index.ts';
import { refuseAgain } from '../refused-rows.ts';
import { type Columns, castValue } from './model-columns.ts';
import type { Target } from './model-destination.ts';
import { batch, stageBatch } from './model-stage.ts';
import { hasIndexes, refuseRepeated } from './model-unindexed.ts';

/** Records of a replacement, in a file of their own: while they come nobody waits for the database. */
export interface Collected {
  folder: string;
  file: string;
  /** Bytes that were needed for them. */
  readonly memory: number;
  /** Adds records, all of them or none. */
  add(records: readonly OutgoingRecord[]): Promise<void>;
  /** Identities of records that were refused. One that its column cannot hold is nobody's in the target. */
  keep(keys: readonly string[]): Promise<void>;
  /** To read the file. */
  close(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * The table `collected` has the written columns alone, and those of the target's constraints that are over them, so
 * that a record which cannot be stored is found when it is added. `kept` has the identities of the others.
 */
export async function openCollected(
  target: Target,
  { key, written }: Columns,
  signal: AbortSignal,
  refused: ReadonlyMap<string, string>,
): Promise<Collected> {
  const folder = await tempFolder();
  const file = path.join(folder.path, 'collected.duckdb');
  const engine = await openEngine({ file, scratch: true, canGrow: true, signal }).catch(
    async (error: unknown) => {
      await folder[Symbol.asyncDispose]();
      throw error;
    },
  );
  const names = new Set(written.map(({ column }) => column.name));
  const checks = target.constraints.filter(({ columns }) => columns.every((name) => names.has(name)));
  const isUnique = checks.some(
    ({ text, columns }) =>
      /^(PRIMARY KEY|UNIQUE)/.test(text) && columns.length === 1 && columns[0] === key?.column.name,
  );
  const identity = key && written.find(({ name }) => name === key.name);
  const columnsOf = (isIndexed: boolean) => [
    ...written.map(({ name, column }) => {
      const { nullable = true } = target.fields.find(({ id }) => id === column.name) ?? {};
      return `${name} ${column.typeName}${nullable ? '' : ' not null'}`;
    }),
    ...checks.map(({ text }) => text),
    ...(key === undefined || isUnique || !isIndexed ? [] : [`unique (${key.name})`]),
  ];
  const remove = async () => {
    await engine.close();
    await folder[Symbol.asyncDispose]();
  };
  let isIndexed: boolean;
  try {
    isIndexed = identity === undefined || (await hasIndexes(engine, identity));
    await engine.run(`create table collected (${columnsOf(isIndexed).join(', ')});
      create table kept (k ${key?.column.typeName ?? 'varchar'})`);
  } catch (error) {
    await remove();
    throw error;
  }
  signal.addEventListener('abort', () => void remove(), { once: true });
  return {
    folder: folder.path,
    file,
    get memory() {
      return engine.memory;
    },
    async add(records) {
      await stageBatch(engine, records);
      if (key !== undefined && refused.size > 0) {
        const keys = [...refused.keys()].map(literal).join(', ');
        const found = await engine.query<{ key: string }>(
          `select (${key.value})::varchar as key from ${batch} b where (${key.value})::varchar in (${keys}) limit 1`,
        );
        refuseAgain(found, refused);
      }
      if (identity !== undefined && !isIndexed) await refuseRepeated(engine, 'collected', identity);
      await engine.run(`insert into collected (${written.map(({ name }) => name).join(', ')})
        select ${written.map(({ value }) => value).join(', ')} from ${batch} b order by b.n`);
    },
    async keep(keys) {
      if (key === undefined || keys.length === 0) return;
      await engine.query(
        `insert into kept select k from (select try(${castValue(key.column, 'x')}) as k from (select unnest(from_json($1, '["VARCHAR"]')) as x)) where k is not null`,
        [JSON.stringify(keys)],
      );
    },
    async close() {
      // An identity may have two texts, one of them a record's that is fine.
      if (key !== undefined)
        await engine.run(
          `delete from kept where exists (select 1 from collected c where c.${key.name} = kept.k)`,
        );
      await engine.close();
    },
    remove,
  };
}
