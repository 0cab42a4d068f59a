import { createHash } from 'node:crypto';
import type { JsonObject } from '../../lib/json.ts';
import {
  type BulkDestination,
  type BulkOutput,
  type BulkRange,
  type Committed,
  ConnectionLost,
  type LoadPlan,
  type RowStream,
  type TableLoad,
  type WireFormat,
} from '../contract.ts';
import { type Engine, identifier, literal, loadRows, tableColumns } from '../duckdb-engine/index.ts';
import { checkExpected } from '../expected-position.ts';
import { expectRows, Written } from '../row-counts.ts';
import { tableOptions } from '../table-options.ts';
import { checkNames, outputKey, refuse } from './bulk-names.ts';
import { countRows } from './count-rows.ts';
import { type Database, withReader } from './database.ts';
import { checkLive, makeLive, type StagedRows } from './make-live.ts';
import { openStage, type Stage } from './stage.ts';
import { findStanding } from './standing.ts';
import { readState, writeState } from './state.ts';

/** Of the attached stage. Schemas and database files may have any common name. */
const stageName = '_tidemark_stage';

export function bulkDestination(database: Database): BulkDestination {
  return {
    formats: ['copy-text'],
    options: tableOptions('main'),
    standing: (target) =>
      withReader(
        database,
        () => undefined,
        async (engine) => findStanding(engine, target, (await database.locate()).file),
      ),
    async load(output, plan) {
      checkNames(output);
      const { file } = await database.locate();
      const merges = await withReader(
        database,
        () => false,
        (engine) => checkLive(engine, output, plan, file),
      );
      const ended = new AbortController();
      const signal = AbortSignal.any([database.signal, ended.signal]);
      const stage = await openStage(file, output, plan, signal);
      const load = new StagedLoad(database, output, plan, file, stage, ended, merges);
      await load.begin();
      return load;
    },
  };
}

/** Ranges are tables of the stage, and stored when they are listed there. */
class StagedLoad implements TableLoad {
  readonly stored = new Map<string, number>();
  readonly #database: Database;
  readonly #output: BulkOutput;
  readonly #plan: LoadPlan;
  readonly #file: string;
  readonly #stage: Stage;
  readonly #ended: AbortController;
  /** The rows are for the table that was there when the load began. */
  readonly #merges: boolean;

  constructor(
    database: Database,
    output: BulkOutput,
    plan: LoadPlan,
    file: string,
    stage: Stage,
    ended: AbortController,
    merges: boolean,
  ) {
    this.#database = database;
    this.#output = output;
    this.#plan = plan;
    this.#file = file;
    this.#stage = stage;
    this.#ended = ended;
    this.#merges = merges;
  }

  async begin(): Promise<void> {
    const { engine } = this.#stage;
    await engine.run(`create table if not exists parts (id varchar, name varchar, rows bigint);
      create table if not exists nothing (${tableColumns(this.#output.columns)})`);
    const rows = await engine.query<{ id: string; rows: string }>(
      'select id, rows::varchar as rows from parts where id is not null',
    );
    for (const { id, rows: count } of rows) this.stored.set(id, Number(count));
  }

  async write(rows: RowStream, _format: WireFormat, range?: BulkRange): Promise<Written> {
    const { engine } = this.#stage;
    const { columns } = this.#output;
    const name = range === undefined ? 'whole' : `range ${digest(range.id)}`;
    const table = identifier(name);
    // What a range that was broken off has left is overwritten.
    await engine.run(`create or replace table ${table} (${tableColumns(columns)})`);
    const { warnings } = await loadRows(engine, columns, rows, (select) =>
      engine.run(`insert into ${table} ${select}`),
    );
    const written = Written.of(rows, await countRows(engine, table), warnings);
    const id = range === undefined ? 'null' : literal(range.id);
    await engine.run(`delete from parts where name = ${literal(name)};
      insert into parts values (${id}, ${literal(name)}, ${written.rows})`);
    return written;
  }

  async commit(position: JsonObject): Promise<Committed> {
    const { engine, file, folder } = this.#stage;
    const parts = await engine.query<{ name: string; rows: string }>(
      'select name, rows::varchar as rows from parts order by name',
    );
    const rows = parts.reduce((total, part) => total + Number(part.rows), 0);
    const tables = ['nothing', ...parts.map(({ name }) => name)].map(
      (name) => `select * from ${stageName}.main.${identifier(name)}`,
    );
    await engine.close();
    const live = await this.#database.writer({
      folders: [folder],
      memory: engine.memory,
      signal: this.#ended.signal,
    });
    try {
      if (!(await this.#stage.isOurs())) this.#takenOver();
      await live.run(`attach ${literal(file)} as ${stageName} (read_only)`);
      const staged = `(${tables.join(' union all ')})`;
      const committed = await this.#makeLive(live, { staged, rows }, position);
      await live.close();
      await this.#stage.remove();
      return committed;
    } finally {
      await live.close();
    }
  }

  async #makeLive(live: Engine, { staged, rows }: StagedRows, position: JsonObject): Promise<Committed> {
    const output = this.#output;
    await live.run('begin transaction');
    checkExpected(output, this.#plan, (await readState(live, output))?.position);
    const { schema, name } = output;
    expectRows(`what was staged for ${schema}.${name}`, rows, await countRows(live, staged));
    const come = { staged, rows, merges: this.#merges };
    const committed = await makeLive(live, output, this.#plan, this.#file, come);
    await writeState(live, output, {
      position,
      columns: output.columns.map(({ outputName }) => outputName),
      key: outputKey(output),
    });
    await live.run('commit');
    return committed;
  }

  #takenOver(): never {
    refuse(`The load of ${this.#output.schema}.${this.#output.name} was taken over by another worker`);
  }

  async abort(): Promise<void> {
    this.#ended.abort(new ConnectionLost('the load was ended'));
    await this.#stage.engine.close();
    if (!this.#plan.ranged) await this.#stage.remove();
  }

  async discard(): Promise<void> {
    await this.abort();
    await this.#stage.remove();
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
