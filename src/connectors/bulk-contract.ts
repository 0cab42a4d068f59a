/**
 * The bulk part of a connector: whole tables, as bytes. What a connector is otherwise, and the text form that values
 * travel in, is in contract.ts.
 */
import type { Readable } from 'node:stream';
import type { FixedExpression } from '../conditions/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Written } from './row-counts.ts';

/**
 * How rows travel in bulk. `pg-binary`: PostgreSQL COPY BINARY, still in the CopyData frames of PostgreSQL's
 * protocol, so that one server's bytes are forwarded to another as they are. `copy-text`: PostgreSQL COPY
 * text lines (no frames), which every bulk connector can write and read. The first of the source's formats
 * that the destination accepts is used; a table whose types do not survive a format does not offer it.
 */
export type WireFormat = 'pg-binary' | 'copy-text';

/** The rows of one table on their way: a byte stream, cut anywhere. Destroying it ends the read. */
export interface RowStream extends Readable {
  /** Rows and bytes given so far, to show progress: the row under way counts. */
  readonly rows: number;
  readonly bytes: number;
  /** Rows that the source says it has sent, by its own count; undefined until the stream has ended. */
  readonly sent: number | undefined;
  /** What was changed on reading because the carrier cannot hold it; complete once the stream has ended. */
  readonly warnings?: readonly ValueWarning[];
  /** Where it is there, a chunk may be given back once its bytes are not needed: its memory is used again. */
  recycle?(chunk: Buffer): void;
}

/** Values of one column that arrived changed, by one rule. What no warning names arrived as it was. */
export interface ValueWarning {
  /** Name in the source. */
  column: string;
  /** Stable name, e.g. `zero_date_nulled`; docs/types.md says what each does. */
  rule: string;
  count: number;
}

/** The other system went away or could not be reached: the same may well work a moment later. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
  /** Milliseconds that the other system asks to be left alone, 0 when it does not say. */
  readonly pause: number;

  constructor(message: string, { pause = 0, ...options }: ErrorOptions & { pause?: number } = {}) {
    super(message, options);
    this.pause = pause;
  }
}

export interface BulkColumn {
  /** Name in the source. */
  name: string;
  /** Name in the destination. */
  outputName: string;
  /** The PostgreSQL type that carries it, e.g. `numeric(20,4)`; a type of the source's own travels as text. */
  type: string;
  nullable: boolean;
  /**
   * What else decides its values and their order, in the source's own words: which of several columns that had this name
   * one after the other it is, how it is computed, its collation. Undefined: the source cannot tell.
   */
  version?: string;
  /** The source gives the digest of the value's text instead of the value: see `BulkRead.salt`. Its type is text. */
  obfuscated?: boolean;
}

/** What tells a table from another one under the same id: going on from a position is sound while all are the same. */
export interface TableFacts {
  /** The server and database, as it stays across restarts and for a standby. */
  server?: string;
  /** This table, and not another one that was made under its name. */
  table?: string;
  /** Its rows since it was last truncated, reloaded or rewritten as a whole. */
  storage?: string;
  /** How rows are made, of a view. */
  definition?: string;
  /** `storage` of each partition, by a name that stays. */
  parts?: Record<string, string>;
}

export interface BulkTable {
  schemaId: string;
  facts?: TableFacts;
  /**
   * Names this one table among those of all servers. A destination that finds the table it is to replace under
   * this name refuses: the sync would drop its own source.
   */
  origin?: string;
  columns: BulkColumn[];
  /** Source column names; empty when the source knows no key. */
  primaryKey: string[];
  /** Rows, as far as the source can tell without counting. */
  estimatedRows: number | undefined;
  /** Formats the source can send this table in, best first. */
  formats: WireFormat[];
}

/** A part of a table that is read on its own. Kept in the checkpoint, so that a run that takes over reads the same parts. */
export interface BulkRange {
  /** Names its bounds: ranges of another division of the table have other ids. */
  id: string;
  /** The source's own description of it. */
  bounds: JsonObject;
}

/** Which rows are read, and how. */
export interface BulkRead {
  /**
   * Rows whose tracking field is at or above `from` less an overlap, or NULL. `from` is what `trackingBound`
   * gave; rows that committed late with an older time are what the overlap is for, where the field is a time.
   */
  tracking?: { field: string; from: string; overlapSeconds: number };
  range?: BulkRange;
  /** Only rows that fit it, by any of the source's fields. @throws invalid_field when they cannot be asked for it. */
  filter?: FixedExpression;
  /** An obfuscated value travels as lower-case hex SHA-256 of the salt's bytes followed by its text, NULL as NULL. */
  salt?: string;
}

export interface BulkSource {
  /** @param columns source names to read; undefined reads all. @throws when the table is gone. */
  table(schemaId: string, columns: readonly string[] | undefined): Promise<BulkTable>;
  /**
   * The greatest value of a field, as text of full precision; undefined when there is none. Taken before a
   * read, it is where the next one starts. Infinities, NaN and times beyond tomorrow do not count: they would hide
   * what comes after them.
   *
   * @throws invalid_field when the field's type has no order that can be followed.
   */
  trackingBound?(table: BulkTable, field: string): Promise<string | undefined>;
  /**
   * Whether a row that `trackingBound` looks at is at or above `from`, a bound of before. None is after the table was
   * emptied, reloaded or restored. Goes with `trackingBound`.
   */
  reaches?(table: BulkTable, field: string, from: string): Promise<boolean>;
  /**
   * A few of the rows with the greatest values up to `bound`, a bound of before: the text of the key's values, and last that of
   * the field. A source has this where nothing else tells that a table was truncated. Empty: the key is of no use.
   */
  newest?(table: BulkTable, field: string, bound: string): Promise<string[][]>;
  /** Whether one of these rows is there, with its value of the field or a greater one. Goes with `newest`. */
  stands?(table: BulkTable, field: string, newest: readonly string[][]): Promise<boolean>;
  /** Whether these parts of `TableFacts` hold rows below `from`. Undefined: they may. */
  holdsBelow?(table: BulkTable, parts: readonly string[], field: string, from: string): Promise<boolean>;
  /**
   * Parts of about `rows` rows that can be read at the same time and in any order, now or after a restart: every
   * row that stays as it is is in exactly one. Fewer than two: the table is read as a whole.
   */
  ranges?(table: BulkTable, rows: number): Promise<BulkRange[]>;
  /** The rows of a table or range, as one consistent snapshot. @throws ConnectionLost, also through the stream. */
  read(table: BulkTable, format: WireFormat, read: BulkRead): Promise<RowStream>;
}

/** Where rows go: a table in the destination, or what stands for one there. */
export interface BulkTarget {
  /** Destination schema (namespace) and table name. */
  schema: string;
  name: string;
}

export interface BulkOutput extends BulkTarget {
  origin: string | undefined;
  /** Of the source table. Ranges that were stored of another one are of no use. */
  facts?: TableFacts;
  columns: BulkColumn[];
  /** Source column names. */
  primaryKey: string[];
  /** Source column to lay the rows out by, where the destination can. */
  partitionBy?: string;
  /** Names of Tidemark's own columns, where they are wanted: when a row was last written, when it was missed. */
  syncedAt?: string;
  deletedAt?: string;
  /** `destination_configuration` of the sync. */
  options?: JsonObject;
}

export interface LoadPlan {
  /** Lets a run that takes over end the load of the run before it, wherever that is. */
  executionId: string;
  /**
   * `replace`: the rows become the table. `merge`: each row takes the place of the one with its key, and columns
   * and rows that the source does not have stay; needs a key.
   */
  mode: 'replace' | 'merge';
  /**
   * Only with `merge`: these are all the rows of the source, and those that the table has beside them are marked
   * as deleted or removed. Otherwise they are left alone.
   */
  missing?: 'mark' | 'remove';
  /** What becomes of a table that Tidemark did not make: it is kept, or goes. Undefined: it is not touched. */
  strangers?: 'adopt' | 'overwrite';
  /** With `replace`: empty and fill the table instead of swapping it, so that what depends on it survives. */
  truncate: boolean;
  /**
   * The position that was read before the load, null where there was none. One that is another by the time it is
   * this load's turn refuses it: somebody else has written the table. Undefined: not looked at.
   */
  expects?: JsonObject | null;
  /** The rows come in ranges, several at a time; each is stored for good once `write` has returned. */
  ranged: boolean;
}

/** Loads one table beside the live one, then swaps or merges it in; readers see the old rows or all the new ones. */
export interface TableLoad {
  /** Ranges that a run before this one has stored, by id, with their rows. */
  stored: ReadonlyMap<string, number>;
  /**
   * Stores everything the stream gives, and compares its rows with what is stored before that is for good.
   *
   * @throws ConnectionLost, rows_differ, or why it was refused.
   */
  write(rows: RowStream, format: WireFormat, range?: BulkRange): Promise<Written>;
  /** After it the rows are live. @throws rows_differ before that, when those that were stored are not all there. @param position kept with them: `BulkDestination.position` gives it back. */
  commit(position: JsonObject): Promise<Committed>;
  /** Ends the load at once; stored ranges stay for a run that takes over. Safe at any time, and after a failure. */
  abort(): Promise<void>;
  /** Ends the load and removes all of it. The live table was never touched. */
  discard(): Promise<void>;
}

/** What a commit did to the live table; undefined where the destination does not count. */
export interface Committed {
  /** Rows that became live or were merged, as the destination counted them where they were staged. */
  rows: number;
  inserted?: number;
  updated?: number;
  deleted?: number;
  /** Changes of the table's shape, for people: `column price widened from integer to bigint`. */
  changes: string[];
}

/** What stands under the name of a target. */
export type Standing =
  /**
   * A table of Tidemark's. The position was committed with its rows as they are now. It may be older than they are, never
   * newer: what lies behind it is merged once more.
   */
  | { position: JsonObject; stranger?: undefined; origin?: undefined }
  /** What Tidemark did not make, for people: `it is a view`. A table that was dropped and recreated is one, too. */
  | { position?: undefined; stranger: string; origin?: string };

export interface BulkDestination {
  formats: readonly WireFormat[];
  /** `BulkSyncDest.configuration` on the wire: option key → { default, items, required }. */
  options: JsonObject;
  /** What stands under a target's name now; undefined: nothing. */
  standing(target: BulkTarget): Promise<Standing | undefined>;
  /** @throws not_ours, or unprocessable when the live table cannot take the output: says why and what to do. */
  load(output: BulkOutput, plan: LoadPlan): Promise<TableLoad>;
}
