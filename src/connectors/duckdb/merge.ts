import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { type Engine, identifier, type ReadColumn } from '../duckdb-engine/index.ts';
import { compareMerged } from '../row-counts.ts';
import { outputKey, ownColumns, refuse, sameName } from './bulk-names.ts';
import { countRows } from './count-rows.ts';
import { betweenUpdates, isOther } from './loose-types.ts';
import type { StagedRows } from './make-live.ts';
import { columnsOf, qualified, type Relation } from './relations.ts';

/**
 * Writes the rows that are new or other than the live ones, and no other. Removing comes first: a row may take over
 * the value of a unique column from one that is gone.
 *
 * @param staged what stands behind FROM for the staged rows.
 */
export async function writeDifference(
  engine: Engine,
  output: BulkOutput,
  live: Relation,
  staged: string,
  missing: LoadPlan['missing'],
): Promise<Pick<Committed, 'inserted' | 'updated' | 'deleted'>> {
  const key = outputKey(output);
  if (key.length === 0) refuse(`${live.id} has no key that its rows could be told apart by`);
  const table = qualified(engine, live);
  const pairs = await assignments(engine, output, live, staged);
  const same = sameKey(output, pairs);
  const there = `(select 1 from ${staged} s where ${same})`;
  await checkLiveKey(engine, live, key, `${table} l`, there);
  const synced = output.syncedAt === undefined ? [] : [`${identifier(output.syncedAt)} = now()`];
  const mark = output.deletedAt === undefined ? undefined : identifier(output.deletedAt);

  let deleted = 0;
  if (missing === 'remove') deleted = await engine.run(`delete from ${table} l where not exists ${there}`);
  if (missing === 'mark') {
    if (mark === undefined) throw new Error('rows are to be marked as deleted in a column without a name');
    const set = [`${mark} = now()`, ...synced].join(', ');
    deleted = await engine.run(
      `update ${table} as l set ${set} where l.${mark} is null and not exists ${there}`,
    );
  }
  const others = pairs.filter(({ name }) => !key.some((part) => sameName(part, name)));
  const set = [...others.map(({ column, value }) => `${column} = ${value}`), ...synced];
  const differs = others.map(({ column, value, typeName }) => isOther(typeName, `l.${column}`, value));
  const between = betweenUpdates(
    others.map(({ column, typeName, value }) => ({ column, typeName, from: `l.${column}`, to: value })),
  );
  if (between !== undefined) {
    await engine.run(
      `update ${table} as l set ${between.set} from ${staged} s where ${same} and ${between.where}`,
    );
  }
  if (mark !== undefined) {
    set.push(`${mark} = null`);
    differs.push(`l.${mark} is not null`);
  }
  const updated =
    differs.length === 0
      ? 0
      : await engine.run(
          `update ${table} as l set ${set.join(', ')} from ${staged} s where ${same} and (${differs.join(' or ')})`,
        );
  const inserted = await insertStaged(
    engine,
    output,
    live,
    staged,
    `not exists (select 1 from ${table} l where ${same})`,
  );
  return { inserted, updated, deleted };
}

/**
 * Whether the live table has the staged rows after a merge. Where all rows of the source were staged its own are as
 * many, else each is looked up.
 *
 * @throws rows_differ
 */
export async function expectMerged(
  engine: Engine,
  output: BulkOutput,
  live: Relation,
  { staged, rows, missing }: StagedRows & Pick<LoadPlan, 'missing'>,
): Promise<void> {
  const table = qualified(engine, live);
  await compareMerged(
    live.id,
    { rows, missing, deletedAt: output.deletedAt },
    {
      live: (mark) =>
        countRows(engine, `${table}${mark === undefined ? '' : ` where ${identifier(mark)} is null`}`),
      async absent() {
        const same = sameKey(output, await assignments(engine, output, live, staged));
        return countRows(engine, `${staged} s where not exists (select 1 from ${table} l where ${same})`);
      },
    },
  );
}

/** Inserts staged rows (`s`) for which the condition holds. */
export async function insertStaged(
  engine: Engine,
  output: BulkOutput,
  live: Relation,
  staged: string,
  condition = 'true',
): Promise<number> {
  const pairs = await assignments(engine, output, live, staged);
  const targets = pairs.map(({ column }) => column);
  const values = pairs.map(({ value }) => value);
  if (output.syncedAt !== undefined) {
    targets.push(identifier(output.syncedAt));
    values.push('now()');
  }
  return engine.run(
    `insert into ${qualified(engine, live)} (${targets.join(', ')})
     select ${values.join(', ')} from ${staged} s where ${condition}`,
  );
}

/** @throws unprocessable when rows cannot be told apart by their key. */
export async function checkKey(engine: Engine, output: BulkOutput, staged: string): Promise<void> {
  const key = outputKey(output);
  if (key.length === 0) return;
  const names = key.map(identifier);
  const table = `${output.schema}.${output.name}`;
  const remedy = 'set another primary key for the schema, or none to replace the table each time';
  const missing = await engine.query(
    `select 1 from ${staged} s where ${names.map((name) => `${name} is null`).join(' or ')} limit 1`,
  );
  if (missing.length > 0) refuse(`The key (${key.join(', ')}) of ${table} is NULL in some row: ${remedy}`);
  const twice = await engine.query(
    `select 1 from ${staged} s group by ${names.join(', ')} having count(*) > 1 limit 1`,
  );
  if (twice.length > 0) refuse(`The key (${key.join(', ')}) of ${table} has a value twice: ${remedy}`);
}

/** Between a live row (`l`) and a staged one (`s`). */
function sameKey(output: BulkOutput, pairs: readonly { name: string; value: string }[]): string {
  return outputKey(output)
    .map((name) => `l.${identifier(name)} = ${pairs.find((pair) => sameName(pair.name, name))?.value}`)
    .join(' and ');
}

/**
 * A table that somebody else fills may have a key's value in several rows, and one row that comes would become them
 * all. An index would tell; DuckDB holds indexes in memory, so that tables that are loaded have none.
 */
async function checkLiveKey(
  engine: Engine,
  { id }: Relation,
  key: readonly string[],
  from: string,
  there: string,
): Promise<void> {
  const names = key.map((name) => `l.${identifier(name)}`).join(', ');
  const twice = await engine.query(
    `select 1 from ${from} where exists ${there} group by ${names} having count(*) > 1 limit 1`,
  );
  if (twice.length === 0) return;
  refuse(
    `The key (${key.join(', ')}) has a value in several rows of ${id}: remove the others, or run it with resync_mode rebuild`,
  );
}

/** What a staged row (`s`) gives each column of the live table, in the live column's type. */
async function assignments(engine: Engine, output: BulkOutput, live: Relation, staged: string) {
  const wanted = await columnsOf(engine, live);
  const come = await engine.columns(`select * from ${staged} s`);
  return come
    .filter(({ name }) => !ownColumns(output).some((own) => sameName(own, name)))
    .map((column) => {
      const target = wanted.find(({ name }) => sameName(name, column.name)) ?? column;
      return {
        name: target.name,
        column: identifier(target.name),
        value: stagedValue(column, target),
        typeName: target.typeName,
      };
    });
}

function stagedValue(from: ReadColumn, to: ReadColumn): string {
  const value = `s.${identifier(from.name)}`;
  if (from.typeName === to.typeName) return value;
  return to.typeName === 'VARCHAR' ? from.text(value) : `cast(${value} as ${to.typeName})`;
}
