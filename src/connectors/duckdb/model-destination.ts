import { notFound } from '../../errors.ts';
import { checkedReplacement, checkedWriter } from '../checked.ts';
import type { ModelDestination, ModelSyncMode, TargetField } from '../contract.ts';
import { type Engine, literal, type ReadColumn } from '../duckdb-engine/index.ts';
import { notOffered } from '../target-modes.ts';
import { type Database, withReader } from './database.ts';
import { fieldTypeOf } from './field-type.ts';
import { alikeIdentities } from './model-alike.ts';
import { targetCreation } from './model-creation.ts';
import { fitsOf } from './model-fits.ts';
import { refusals } from './model-fixed-values.ts';
import { functionsOf } from './model-matching.ts';
import { modelReplacement } from './model-replacement.ts';
import { modelWriter } from './model-writer.ts';
import { columnsOf, listRelations, qualified, type Relation } from './relations.ts';
import { filterCondition } from './where.ts';

const modes: ModelSyncMode[] = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'];

export interface Target {
  /** Quoted, with its schema. */
  table: string;
  columns: ReadColumn[];
  fields: TargetField[];
  /** Keys, unique columns and checks, as DuckDB writes them. */
  constraints: { text: string; columns: string[] }[];
}

export function modelDestination(database: Database): ModelDestination {
  const withTarget = <Result>(object: string, use: (target: Target, engine: Engine) => Promise<Result>) =>
    withReader(
      database,
      (): never => {
        throw notFound('target object', object);
      },
      async (engine) => {
        const relation = (await tables(engine)).find(({ id }) => id === object);
        if (relation === undefined) throw notFound('target object', object);
        return use(await describeTarget(engine, relation), engine);
      },
    );
  const describe = (object: string) => withTarget(object, async (target) => target);
  return {
    creation: targetCreation(database),
    objects: () =>
      withReader(
        database,
        () => [],
        async (engine) =>
          (await listRelations(engine)).map(({ id, kind }) =>
            kind === 'table'
              ? { id, name: id, modes }
              : notOffered(id, 'it is a view, and DuckDB writes through none'),
          ),
      ),
    fields: async (object) => (await describe(object)).fields,
    refusals: (object, values) => withTarget(object, (target, engine) => refusals(engine, target, values)),
    alike: async (definition) => alikeIdentities(database, await describe(definition.object), definition),
    life: ({ object }) =>
      withReader(
        database,
        () => undefined,
        async (engine) => {
          const relation = (await tables(engine)).find(({ id }) => id === object);
          if (relation === undefined) return undefined;
          const [counted] = await engine.query<{ rows: string | number }>(
            `select count(*) as rows from ${qualified(engine, relation)}`,
          );
          const rows = Number(counted?.rows);
          return { isEmpty: rows === 0, rows: async () => rows };
        },
      ),
    async writer(definition) {
      const target = await describe(definition.object);
      const { filter } = definition;
      if (filter !== undefined) {
        await withReader(
          database,
          async () => {},
          async (engine) => void (await filterCondition(engine, target.table, target.fields, filter)),
        );
      }
      return checkedWriter(modelWriter(database, target, definition), definition, fitsOf(target));
    },
    async replacement(definition, refused) {
      const target = await describe(definition.object);
      return checkedReplacement(
        await modelReplacement(database, target, definition, refused),
        definition,
        fitsOf(target),
      );
    },
  };
}

async function tables(engine: Engine): Promise<Relation[]> {
  return (await listRelations(engine)).filter(({ kind }) => kind === 'table');
}

type ColumnRow = { name: string; type: string; nullable: boolean; filled: boolean; generated: boolean };

async function describeTarget(engine: Engine, relation: Relation): Promise<Target> {
  const columns = await columnsOf(engine, relation);
  const one = `database_name = current_database()
    and schema_name = ${literal(relation.schema)} and table_name = ${literal(relation.name)}`;
  const table = qualified(engine, relation);
  // What a generated column is computed by is a default to duckdb_columns(), and none to DESCRIBE.
  const rows = await engine.query<ColumnRow>(
    `select column_name as name, data_type as type, is_nullable as nullable, column_default is not null as filled,
       column_default is not null and d."default" is null as generated
     from duckdb_columns() join (select column_name, "default" from (describe ${table})) d using (column_name) where ${one}`,
  );
  const constraints = await engine.query<{ text: string; columns: string[] }>(
    `select constraint_text as text, constraint_column_names as columns from duckdb_constraints()
     where ${one} and constraint_type in ('PRIMARY KEY', 'UNIQUE', 'CHECK')`,
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  const fields = columns.map(({ name, typeName }): TargetField => {
    const { nullable = true, filled = false, generated = false } = found.get(name) ?? {};
    return {
      id: name,
      name,
      type: fieldTypeOf(typeName),
      remoteType: typeName,
      nullable,
      required: !nullable && !filled,
      createable: !generated,
      updateable: !generated,
      filterable: true,
      identityFunctions: functionsOf(typeName),
    };
  });
  return {
    table,
    // A type of its own is written out: another file does not know its name.
    columns: columns.map((column) => ({
      ...column,
      typeName: found.get(column.name)?.type ?? column.typeName,
    })),
    fields,
    constraints,
  };
}
