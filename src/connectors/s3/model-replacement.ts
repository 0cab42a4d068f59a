import { duckdb } from '../../conditions/index.ts';
import { decodeCopyText } from '../../lib/copy-text.ts';
import type { ModelReplacement, ReplacedRow, TargetDefinition } from '../contract.ts';
import { type Engine, literal } from '../duckdb-engine/index.ts';
import { wholeRows } from '../file-formats/copy-text-rows.ts';
import type { EnginePool } from '../file-formats/engine-pool.ts';
import type { ManifestFile } from './manifest.ts';
import type { ModelTable } from './model-table.ts';
import { batchSize } from './model-writer.ts';
import { stageFile, textColumns } from './stage-file.ts';
import { tidyTable } from './tidy-table.ts';
import { writeFiles } from './write-files.ts';

const { identifier } = duckdb;

/**
 * Writes the records to new files, compares them with those that are live, and puts the new ones in their place by
 * one write of the manifest.
 */
export async function modelReplacement(
  table: ModelTable,
  engines: EnginePool,
  { identity, fields }: TargetDefinition,
): Promise<ModelReplacement> {
  const live = await table.live();
  const token = crypto.randomUUID();
  const files: ManifestFile[] = [];
  let parts = 0;

  const compare = async function* (
    engine: Engine,
    kept: AsyncIterable<readonly string[]>,
    replaced: (rows: readonly ReplacedRow[]) => Promise<void>,
  ) {
    const difference = new Difference(engine, table, identity !== undefined);
    await difference.stage('come', files);
    await difference.stage('live', live === undefined ? [] : await table.files(live));
    await difference.keep(kept);
    for await (const rows of difference.rows()) await replaced(rows);
    const stay = await difference.kept(token);
    await engine.run('drop table come; drop table live; drop table kept; drop table if exists part');
    yield stay;
  };
  return {
    batchSize,
    fields: fields.map(({ source }) => source),
    async add(records) {
      files.push(...(await table.storeRecords(token, `part-${parts++}`, records, table.incoming)));
      return [];
    },
    async replace(kept, replaced, prepared) {
      for await (const stay of engines.lend((engine) => compare(engine, kept, replaced))) files.push(...stay);
      await prepared(token);
      await table.commit(token, { files }, table.incoming, live);
      // The rows are live: what is left costs space until the next execution removes it.
      await tidyTable(table, { files }).catch(() => {});
    },
    outcome: (asked) => table.outcome(asked),
  };
}

/** Rows as texts in two tables, both as they are read from files: what one form writes otherwise is no change. */
class Difference {
  readonly #engine: Engine;
  readonly #table: ModelTable;
  /** Its first column tells rows apart. Without one they are what they hold. */
  readonly #keyed: boolean;
  readonly #list: string;
  readonly #key: string;
  /** Identities say `true` where values, in files too, are `t`. */
  readonly #isBoolean: boolean;

  constructor(engine: Engine, table: ModelTable, keyed: boolean) {
    this.#engine = engine;
    this.#table = table;
    this.#keyed = keyed;
    this.#list = table.incoming.map(({ name }) => identifier(name)).join(', ');
    this.#key = identifier(table.incoming[0]?.name ?? '');
    this.#isBoolean = table.incoming[0]?.type === 'boolean';
  }

  async stage(into: 'come' | 'live', files: readonly ManifestFile[]): Promise<void> {
    const { incoming } = this.#table;
    await this.#engine.run(`create or replace table ${into} (${textColumns(incoming)})`);
    const writer = await this.#table.writer('', incoming);
    for (const file of files) {
      await stageFile(this.#engine, writer, 'part', file, incoming);
      await this.#engine.run(`insert into ${into} select ${this.#list} from part`);
    }
  }

  async keep(kept: AsyncIterable<readonly string[]>): Promise<void> {
    await this.#engine.run('create or replace table kept (key varchar)');
    for await (const keys of kept) {
      if (keys.length === 0) continue;
      const values = keys.map((key) => `(${literal(this.#isBoolean ? key.slice(0, 1) : key)})`);
      await this.#engine.run(`insert into kept values ${values.join(', ')}`);
    }
  }

  async *rows(): AsyncGenerator<ReplacedRow[]> {
    for (const { status, select } of this.#changes()) {
      const columns = await this.#engine.columns(select);
      for await (const rows of decodeCopyText(this.#engine.read({ columns, from: `(${select})` }))) {
        yield rows.map((values) => ({ status, key: this.#keyed ? (values[0] ?? null) : null, values }));
      }
    }
  }

  #changes(): { status: ReplacedRow['status']; select: string }[] {
    const list = this.#list;
    const all = (from: string) => `select ${list} from ${from}`;
    if (!this.#keyed) {
      return [
        { status: 'deleted', select: `${all('live')} except all ${all('come')}` },
        { status: 'inserted', select: `${all('come')} except all ${all('live')}` },
      ];
    }
    const [key, same] = [this.#key, `come.${this.#key} = live.${this.#key}`];
    const gone = `live anti join come on (${same})`;
    return [
      { status: 'deleted', select: `${all(gone)} where ${key} not in (select key from kept)` },
      { status: 'updated', select: `${all(`come semi join live on (${same})`)} except all ${all('live')}` },
      { status: 'inserted', select: all(`come anti join live on (${same})`) },
    ];
  }

  /** Rows that stay though nothing came for them, in a file of their own. */
  async kept(token: string): Promise<ManifestFile[]> {
    if (!this.#keyed) return [];
    const same = `come.${this.#key} = live.${this.#key}`;
    const select = `select ${this.#list} from live anti join come on (${same}) where ${this.#key} in (select key from kept)`;
    const columns = await this.#engine.columns(select);
    const rows = this.#engine.read({ columns, from: `(${select})` });
    const writer = await this.#table.writer(token, this.#table.incoming);
    return (await writeFiles(writer, wholeRows(rows, 'the table'), 'kept')).files;
  }
}
