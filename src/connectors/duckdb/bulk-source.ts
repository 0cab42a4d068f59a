import { stat } from 'node:fs/promises';
import { notFound } from '../../errors.ts';
import type { BulkColumn, BulkRead, BulkSource, BulkTable } from '../contract.ts';
import { type Engine, type EngineRead, literal } from '../duckdb-engine/index.ts';
import { rangesOf, withinRange } from './bulk-ranges.ts';
import { type Database, withReader } from './database.ts';
import { fieldTypeOf } from './field-type.ts';
import {
  columnsOf,
  findRelation,
  nullableColumns,
  originOf,
  primaryKeys,
  qualified,
  type Relation,
} from './relations.ts';
import { greatest, newest, reaches, stands, trackingCondition } from './tracking.ts';
import { filterCondition } from './where.ts';

/** Rows of a range at least: each is read by a process of its own, which takes as long to start as reading 200,000 rows does. */
const fewestRows = 500_000;

/** Bytes of a row beyond which it needs more memory than usual. */
const longRow = 8 * 1024 * 1024;

export function bulkSource(database: Database, fewest = fewestRows): BulkSource {
  const ask = <Answer>(schemaId: string, question: (engine: Engine, relation: Relation) => Promise<Answer>) =>
    withReader(
      database,
      (): Answer => {
        throw notFound('schema', schemaId);
      },
      async (engine) => question(engine, await findRelation(engine, schemaId)),
    );
  return {
    table: (schemaId, columns) =>
      ask(schemaId, async (engine, relation) => {
        const { file } = await database.locate();
        // Who replaces a file by another one gives its name to another inode.
        const { ino } = await stat(file);
        return {
          ...(await describeTable(engine, relation, columns)),
          origin: originOf(file, relation),
          facts: { server: `${file} ${ino}` },
        };
      }),
    trackingBound: (table, field) =>
      ask(table.schemaId, (engine, relation) => greatest(engine, relation, field)),
    reaches: (table, field, from) =>
      ask(table.schemaId, (engine, relation) => reaches(engine, relation, field, from)),
    newest: (table, field, bound) =>
      ask(table.schemaId, (engine, relation) => newest(engine, relation, table.primaryKey, field, bound)),
    stands: (table, field, rows) =>
      ask(table.schemaId, (engine, relation) => stands(engine, relation, table.primaryKey, field, rows)),
    ranges: (table, rows) =>
      ask(table.schemaId, (engine, relation) => rangesOf(engine, relation, table, Math.max(rows, fewest))),
    async read(table, _format, read) {
      const engine = await database.reader('read', { canGrow: true });
      if (engine === undefined) throw notFound('schema', table.schemaId);
      try {
        await reserveFor(engine, table);
        const rows = engine.read(await readOf(engine, table, read));
        rows.once('close', () => void engine.close());
        return rows;
      } catch (error) {
        await engine.close();
        throw error;
      }
    },
  };
}

/** Gives the engine room for several copies of the longest row, as far as the file's statistics tell its length. */
async function reserveFor(engine: Engine, { schemaId, columns }: BulkTable): Promise<void> {
  const relation = await findRelation(engine, schemaId);
  if (relation.kind === 'view') return;
  const longest = await engine.query<{ name: string; bytes: string | null }>(
    `select column_name as name,
       max(regexp_extract(stats, 'Max String Length: (\\d+)', 1)::bigint)::varchar as bytes
     from pragma_storage_info(${literal(qualified(engine, relation))})
     where segment_type in ('VARCHAR', 'BLOB') group by all`,
  );
  const wanted = longest.filter(({ name }) => columns.some((column) => column.name === name));
  const row = wanted.reduce((sum, { bytes }) => sum + Number(bytes ?? 0), 0);
  if (row > longRow) await engine.reserve(engine.memory + row * 12);
}

async function describeTable(
  engine: Engine,
  relation: Relation,
  wanted: readonly string[] | undefined,
): Promise<BulkTable> {
  const nullable = await nullableColumns(engine, relation);
  const columns = (await columnsOf(engine, relation))
    .filter(({ name }) => wanted === undefined || wanted.includes(name))
    .map(
      ({ name, carrier }): BulkColumn => ({
        name,
        outputName: name,
        type: carrier,
        nullable: nullable.has(name),
      }),
    );
  const key = (await primaryKeys(engine)).get(relation.id) ?? [];
  return {
    schemaId: relation.id,
    columns,
    // A key that lost a column does not identify rows any more.
    primaryKey: key.every((name) => columns.some((column) => column.name === name)) ? key : [],
    estimatedRows: relation.estimatedRows,
    formats: ['copy-text'],
  };
}

async function readOf(
  engine: Engine,
  { schemaId, columns }: BulkTable,
  { tracking, range, filter, salt }: BulkRead,
): Promise<EngineRead> {
  const relation = await findRelation(engine, schemaId);
  const there = await columnsOf(engine, relation);
  const read = columns.map(({ name }) => {
    const column = there.find((one) => one.name === name);
    if (column === undefined) throw notFound('column', `${schemaId}.${name}`);
    return column;
  });
  const hidden = columns.filter(({ obfuscated }) => obfuscated);
  if (hidden.length > 0 && salt === undefined) throw new Error('obfuscated columns need a salt');
  const name = qualified(engine, relation);
  const fields = there.map((column) => ({
    name: column.name,
    type: fieldTypeOf(column.typeName),
    remoteType: column.typeName,
  }));
  const conditions = [
    ...(tracking === undefined ? [] : [trackingCondition(there, tracking)]),
    ...(range === undefined ? [] : [withinRange(there, range)]),
    ...(filter === undefined ? [] : [await filterCondition(engine, name, fields, filter)]),
  ];
  return {
    columns: read,
    from: conditions.length === 0 ? name : `${name} where ${conditions.join(' and ')}`,
    digests: new Map(hidden.map((column) => [column.name, salt ?? ''])),
  };
}
