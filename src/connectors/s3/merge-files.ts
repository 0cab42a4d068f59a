import { duckdb } from '../../conditions/index.ts';
import { TidemarkError } from '../../errors.ts';
import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { type Engine, literal } from '../duckdb-engine/index.ts';
import { wholeRows } from '../file-formats/copy-text-rows.ts';
import type { EnginePool } from '../file-formats/engine-pool.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { expectRows } from '../row-counts.ts';
import { sizeOf } from './file-lists.ts';
import { keyColumns, type Manifest, type ManifestFile } from './manifest.ts';
import { stageFile } from './stage-file.ts';
import { type FileWriter, writeFiles } from './write-files.ts';

export interface Merge {
  writer: FileWriter;
  output: BulkOutput;
  plan: LoadPlan;
  live: Manifest;
  /** Files with the rows that have come. */
  added: readonly ManifestFile[];
  /** The columns that these rows bring values of. */
  incoming: readonly FileColumn[];
  /** When the load began, as COPY text. */
  now: string;
  /** Is part of the names of files that are written. */
  label: string;
  engines: EnginePool;
}

export interface Merged {
  files: ManifestFile[];
  counts: Pick<Committed, 'inserted' | 'updated' | 'deleted'>;
}

/**
 * The files of a table after a merge. Each live file is read; one without a row that was replaced, marked or removed
 * stays as it is, another is written again without these rows, or with them marked. The rows that have come stay in
 * the files they came in.
 */
export async function mergeFiles(merge: Merge): Promise<Merged> {
  const merged = merge.engines.lend(async function* (engine) {
    yield await new FileMerge(merge, engine).run();
    await engine.run(
      'drop table if exists come; drop table if exists live; drop table if exists part; drop table if exists kept',
    );
  });
  const [result] = await Array.fromAsync(merged);
  return result ?? { files: [], counts: {} };
}

const { identifier } = duckdb;

class FileMerge {
  readonly #merge: Merge;
  readonly #engine: Engine;
  readonly #key: FileColumn[];
  /** Columns that only the live rows have values of: a row that takes their place keeps them. */
  readonly #kept: FileColumn[];
  #written = 0;

  constructor(merge: Merge, engine: Engine) {
    this.#merge = merge;
    this.#engine = engine;
    const { writer, output, live, incoming } = merge;
    this.#key = keyColumns(output).map((name) => ({
      name,
      type: writer.columns.find((column) => column.name === name)?.type ?? 'text',
    }));
    this.#kept = live.columns.filter(({ name }) => !incoming.some((column) => column.name === name));
  }

  async run(): Promise<Merged> {
    const { live, added, plan } = this.#merge;
    const rows = await this.#readKeys();
    const rewriteAll = this.#looksOtherwise();
    const files: ManifestFile[] = [];
    let [updated, deleted] = [0, 0];
    if (this.#kept.length > 0) await this.#createKept();
    for (const file of live.files) {
      await this.#stage('live', file, live.columns);
      const replaced = await this.#count(`live semi join come on (${this.#sameKey('live', 'come')})`);
      updated += replaced;
      if (this.#kept.length > 0 && replaced > 0) await this.#keepValues();
      const missing = plan.missing === undefined ? 0 : await this.#countMissing();
      deleted += missing;
      const changes = replaced > 0 || missing > 0 || rewriteAll;
      files.push(...(changes ? await this.#withoutReplaced() : [file]));
    }
    files.push(...(this.#kept.length > 0 && updated > 0 ? await this.#withKept(added) : added));
    const before = sizeOf(live.files).rows;
    const removed = plan.missing === 'remove' ? deleted : 0;
    const { schema, name } = this.#merge.output;
    expectRows(`${schema}.${name}`, before - updated - removed + rows, sizeOf(files).rows);
    const counted = plan.missing === undefined ? {} : { deleted };
    return { files, counts: { inserted: rows - updated, updated, ...counted } };
  }

  /** Whether files of now would be written in another way than the live ones. */
  #looksOtherwise(): boolean {
    const { live, writer } = this.#merge;
    const types = new Map(writer.columns.map(({ name, type }) => [name, type]));
    return (
      live.format !== writer.format ||
      live.partitionBy !== writer.partitionBy ||
      live.columns.some(({ name, type }) => types.get(name) !== type)
    );
  }

  /** The keys that have come, in table `come`. @returns their number. */
  async #readKeys(): Promise<number> {
    const engine = this.#engine;
    const { added, output } = this.#merge;
    await engine.run(
      `create or replace table come (${this.#keyNames()
        .map((name) => `${name} varchar`)
        .join(', ')})`,
    );
    for (const file of added) {
      await this.#stage('part', file, this.#key);
      await engine.run(`insert into come select ${this.#keyList()} from part`);
    }
    const names = this.#keyNames();
    const distinct = `select distinct ${names.join(', ')} from come`;
    const empty = names.map((name) => `${name} is null`).join(' or ');
    const [rows, keys, nulls] = [
      await this.#count('come'),
      await this.#count(`(${distinct})`),
      await this.#count(`come where ${empty}`),
    ];
    if (rows === keys && nulls === 0) return rows;
    const what = nulls > 0 ? `${nulls} rows have no value in` : `${rows - keys} rows share`;
    const reason = `${what} the key (${output.primaryKey.join(', ')}) of ${output.schema}.${output.name}: set another key, or use mode snapshot`;
    throw new TidemarkError('unprocessable', { reason });
  }

  /** Rows beside those that have come that are not marked yet. */
  #countMissing(): Promise<number> {
    const { plan, output } = this.#merge;
    const gone = `live anti join come on (${this.#sameKey('live', 'come')})`;
    const mark = plan.missing === 'mark' ? this.#liveColumn(output.deletedAt) : undefined;
    return this.#count(mark === undefined ? gone : `${gone} where ${mark} is null`);
  }

  #liveColumn(name: string | undefined): string | undefined {
    return name !== undefined && this.#merge.live.columns.some((column) => column.name === name)
      ? identifier(name)
      : undefined;
  }

  /** What stays of table `live`, in files of its own. */
  async #withoutReplaced(): Promise<ManifestFile[]> {
    const { plan, output, writer, live, now } = this.#merge;
    if (plan.missing === 'remove') return [];
    const own = new Set(live.columns.map(({ name }) => name));
    const values = writer.columns.map(({ name }) => {
      const value = own.has(name) ? identifier(name) : 'null::varchar';
      const marks = plan.missing === 'mark' && name === output.deletedAt;
      return `${marks ? `coalesce(${value}, ${literal(now)})` : value} as ${identifier(name)}`;
    });
    const rest = `live anti join come on (${this.#sameKey('live', 'come')})`;
    if ((await this.#count(rest)) === 0) return [];
    return this.#write(`select ${values.join(', ')} from ${rest}`);
  }

  async #createKept(): Promise<void> {
    const columns = [...this.#keyNames(), ...this.#kept.map(({ name }) => identifier(name))];
    await this.#engine.run(
      `create or replace table kept (${columns.map((name) => `${name} varchar`).join(', ')})`,
    );
  }

  async #keepValues(): Promise<void> {
    const values = this.#kept.map(({ name }) => identifier(name));
    await this.#engine.run(
      `insert into kept select ${[this.#keyList(), ...values].join(', ')}
       from live semi join come on (${this.#sameKey('live', 'come')})`,
    );
  }

  /** The rows that have come, with the values that the rows they replace had in columns of their own. */
  async #withKept(added: readonly ManifestFile[]): Promise<ManifestFile[]> {
    const { columns } = this.#merge.writer;
    const names = new Set(this.#kept.map(({ name }) => name));
    const values = columns.map(({ name }) => `${names.has(name) ? 'kept' : 'part'}.${identifier(name)}`);
    const files: ManifestFile[] = [];
    for (const file of added) {
      await this.#stage('part', file, columns);
      const from = `part left join kept on (${this.#sameKey('part', 'kept')})`;
      files.push(...(await this.#write(`select ${values.join(', ')} from ${from}`)));
    }
    return files;
  }

  async #write(select: string): Promise<ManifestFile[]> {
    const { writer, label } = this.#merge;
    const columns = await this.#engine.columns(select);
    const rows = this.#engine.read({ columns, from: `(${select})` });
    const { files } = await writeFiles(writer, wholeRows(rows, 'the table'), `${label}-${this.#written++}`);
    return files;
  }

  #stage(table: string, file: ManifestFile, columns: readonly FileColumn[]): Promise<void> {
    return stageFile(this.#engine, this.#merge.writer, table, file, columns);
  }

  async #count(from: string): Promise<number> {
    const [row] = await this.#engine.query<{ n: string }>(`select count(*)::varchar as n from ${from}`);
    return Number(row?.n);
  }

  #keyNames(): string[] {
    return this.#key.map((_, index) => `k${index}`);
  }

  #keyList(): string {
    return this.#key.map((column, index) => `${keyText(column)} as k${index}`).join(', ');
  }

  /** Between two tables, either of which may have keys of its own or the columns themselves. */
  #sameKey(one: string, other: string): string {
    const side = (table: string, index: number) =>
      table === 'come' || table === 'kept' ? `${table}.k${index}` : keyText(this.#key[index], `${table}.`);
    return this.#key.map((_, index) => `${side(one, index)} = ${side(other, index)}`).join(' and ');
  }
}

/** One text for each value: 1.0 and 1.00 are one numeric. */
function keyText(column: FileColumn | undefined, table = ''): string {
  const text = `${table}${identifier(column?.name ?? '')}`;
  if (column?.type !== 'numeric') return text;
  return `if(contains(${text}, '.'), rtrim(rtrim(${text}, '0'), '.'), ${text})`;
}
