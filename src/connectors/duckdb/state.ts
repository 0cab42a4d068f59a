import type { JsonObject } from '../../lib/json.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import { type Engine, literal } from '../duckdb-engine/index.ts';
import { tableId } from '../table-id.ts';
import { qualified } from './relations.ts';

/** What Tidemark knows of the tables of a schema, beside them: it goes wherever the file is copied. */
const tableName = '_tidemark_state';

/** What was committed with the rows of a table. */
export interface CommittedState {
  position: JsonObject;
  /** Its columns as the source had them, by their names here. */
  columns: string[];
  /** Its key by the names here. DuckDB would keep an index for a primary key in memory. */
  key: string[];
}

/**
 * The state belongs to a table that carries its mark, at the end of the comment: a table that was dropped and made
 * anew under the same name has none.
 */
const markPattern = String.raw`\[tidemark ([0-9a-f-]{36})\]$`;

export async function readState(engine: Engine, target: BulkTarget): Promise<CommittedState | undefined> {
  const states = await readStates(engine, `schema_name = ${literal(target.schema)}`);
  return states.find(({ name }) => name === target.name)?.state;
}

/** Keys of the tables that were loaded, by their ids. */
export async function keptKeys(engine: Engine): Promise<Map<string, string[]>> {
  const states = (await readStates(engine, 'true')).filter(({ state }) => state.key.length > 0);
  return new Map(states.map(({ schema, name, state }) => [tableId(schema, name), state.key]));
}

async function readStates(engine: Engine, where: string) {
  const kept = await engine.query<{ schema: string }>(
    `select schema_name as schema from duckdb_tables()
     where database_name = current_database() and table_name = ${literal(tableName)} and ${where}`,
  );
  const found = kept.map(({ schema }) =>
    engine.query<{ name: string; value: string }>(
      `select s.name, s.value::varchar as value from ${stateOf(engine, schema)} s join duckdb_tables() t
         on t.database_name = current_database() and t.schema_name = ${literal(schema)} and t.table_name = s.name
       where s.mark = regexp_extract(t.comment, ${literal(markPattern)}, 1)`,
    ),
  );
  return (await Promise.all(found)).flatMap((rows, index) =>
    rows.map(({ name, value }) => {
      const schema = kept[index]?.schema ?? '';
      return { schema, name, state: JSON.parse(value) as CommittedState };
    }),
  );
}

/** In the transaction that makes the rows live. */
export async function writeState(engine: Engine, output: BulkOutput, state: CommittedState): Promise<void> {
  const { schema, name } = output;
  const table = stateOf(engine, schema);
  const [row] = await engine.query<{ comment: string | null }>(
    `select comment from duckdb_tables() where database_name = current_database()
     and schema_name = ${literal(schema)} and table_name = ${literal(name)}`,
  );
  const comment = row?.comment ?? '';
  const marked = new RegExp(markPattern).exec(comment);
  const mark = marked?.[1] ?? crypto.randomUUID();
  if (marked === null) {
    const text = `${comment} [tidemark ${mark}]`.trim();
    await engine.run(`comment on table ${qualified(engine, output)} is ${literal(text)}`);
  }
  await engine.run(
    `create table if not exists ${table} (name varchar not null, mark varchar not null, value json not null);
     delete from ${table} where name = ${literal(name)};
     insert into ${table} values (${literal(name)}, ${literal(mark)}, ${literal(JSON.stringify(state))})`,
  );
}

function stateOf(engine: Engine, schema: string): string {
  return qualified(engine, { schema, name: tableName });
}
