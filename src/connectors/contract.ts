/**
 * What a connector is. One folder per system behind this contract and one line in `registry.ts`; the
 * conformance suite (`conformance.ts`) says the same in tests.
 *
 * Values travel as text in PostgreSQL's output format (ISO dates, `{1,NULL}` arrays, `\x` bytea, `t`/`f`),
 * null as null: the one text form that every value of every system we claim fits without loss. A connector
 * of another system encodes to it once on reading and decodes from it once on writing.
 */
import type { Readable } from 'node:stream';
import type { TObject } from 'typebox';
import type { FixedExpression } from '../conditions/index.ts';
import type { Egress } from '../egress/index.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { FieldType } from '../schema/field-type.ts';

export interface Connector {
  /** Connection type id on the wire, e.g. `postgresql`. */
  id: string;
  name: string;
  /**
   * JSON Schema of the connection's configuration, as the API publishes it. Properties marked
   * `sensitive: true` are sealed at rest and masked on read.
   */
  configuration: TObject;
  capabilities: { source: boolean; destination: boolean };
  /** How its types travel, for docs/types.md: the system's own type and the PostgreSQL type that carries it. */
  types?: { read?: readonly TypeRule[]; written?: readonly TypeRule[] };
  /** Connects to nothing yet. `configuration` has been validated against the schema. */
  open(configuration: JsonObject, context: ConnectorContext): Session;
}

/** `type` becomes `as`: on reading the system's own type a PostgreSQL type, on writing the other way round. */
export interface TypeRule {
  type: string;
  as: string;
  /** What may change, and the rule under which a warning counts it. */
  note?: string;
}

export interface ConnectorContext {
  egress: Egress;
  /** Where this organization's local files are, if it may have any: no connector leaves it. It may not exist yet. */
  folder?: string;
  /** Ends every request of the session. */
  signal?: AbortSignal;
}

/** A configured connector in use. Parts a system does not have are absent. `close` ends all connections. */
export interface Session {
  /** @throws an Error that tells the user what does not work. Changes nothing. */
  test(): Promise<void>;
  catalogue?: Catalogue;
  modelSource?: ModelSource;
  modelDestination?: ModelDestination;
  bulkSource?: BulkSource;
  bulkDestination?: BulkDestination;
  close(): Promise<void>;
}

/** A field of a schema or model. `remoteType` is the source's own type name, e.g. `numeric(20,4)`. */
export interface Field {
  name: string;
  type: FieldType;
  remoteType: string;
  nullable: boolean;
}

// ---------------------------------------------------------------------------------------------- catalogue

export interface SourceSchema {
  /** Stable id on the wire, e.g. `public.users`. */
  id: string;
  name: string;
  fields: (Field & { primaryKey: boolean })[];
}

export interface Catalogue {
  schemas(): Promise<SourceSchema[]>;
  /** A few records of one schema, for people to look at. @throws not_found for an unknown schema. */
  records(schemaId: string, limit: number): Promise<JsonObject[]>;
}

// ------------------------------------------------------------------------------------------- model source

/** One step of choosing what a model reads: `SyncSourceMetaResponse` on the wire. */
export interface SourceMeta {
  configuration: Record<string, { type: string; items: Json[] | null }>;
  items: Record<string, { items: Json[] | null; has_items: boolean; requires_one_of: string[] | null }>;
  requires_one_of: string[];
}

export interface ModelQuery {
  /** The model's configuration, e.g. `{ table: 'public.users' }` or `{ query: 'select …' }`. */
  configuration: JsonObject;
  /** The fields to read, in this order. */
  fields: string[];
  /**
   * The field that identifies a record. Without one a record is identified by its content and its
   * occurrence: the second of two equal rows is another record than the first.
   */
  identity?: string;
  /** Only the records that fit it, by any of the model's fields. */
  filter?: FixedExpression;
}

/** `key`: text of the identity, null when it is NULL. `hash`: signed 64-bit, of `fields`, as decimal text. */
export interface KeyAndHash {
  key: string | null;
  hash: string;
}

export interface SourceRecord extends KeyAndHash {
  /** In the order of `ModelQuery.fields`. */
  values: (string | null)[];
}

export interface ModelSource {
  meta(parameters: Record<string, string[]>): Promise<SourceMeta>;
  /** @throws invalid_query or invalid_field when the configuration selects nothing readable. */
  fields(configuration: JsonObject): Promise<Field[]>;
  sample(configuration: JsonObject, fields: string[], limit: number): Promise<JsonObject[]>;
  /** Every record's key and hash, hashed in the source where it can. Batches of any size. */
  keys(query: ModelQuery): AsyncIterable<KeyAndHash[]>;
  /** Full records: all of them, or those with one of `keys`. Batches of any size, in any order. */
  records(query: ModelQuery, keys?: readonly string[]): AsyncIterable<SourceRecord[]>;
}

// -------------------------------------------------------------------------------------- model destination

export type ModelSyncMode = 'create' | 'update' | 'updateOrCreate' | 'append' | 'replace' | 'remove';

export interface TargetObject {
  id: string;
  name: string;
  modes: ModelSyncMode[];
}

export interface TargetField extends Field {
  id: string;
  required: boolean;
  createable: boolean;
  updateable: boolean;
  filterable: boolean;
  supportsIdentity: boolean;
}

export interface TargetDefinition {
  sync: { id: string; name: string };
  object: string;
  configuration: JsonObject;
  mode: ModelSyncMode;
  /** Target field that identifies a record; its value is the record's `key`. */
  identity?: string;
  /** One per value of an outgoing record, in order. */
  fields: { source: Field; target: string /** Write only on creation. */; createOnly: boolean }[];
}

export interface OutgoingRecord {
  key: string;
  hash: string;
  values: (string | null)[];
}

/** `skipped`: the mode had nothing to do, e.g. `update` or `remove` of a record the destination does not have. */
export type RecordResult =
  | { status: 'inserted' | 'updated' | 'upserted' | 'deleted' | 'skipped' }
  | { status: 'refused'; reason: string };

/** The destination refused a batch for its content and kept none of it. The caller splits and tries again. */
export class BatchRefused extends Error {
  override name = 'BatchRefused';
  /** Place in the batch of the record that is at fault, where the destination says so: the others are not suspects. */
  readonly place: number | undefined;

  constructor(message: string, options?: ErrorOptions & { place?: number | undefined }) {
    super(message, options);
    this.place = options?.place;
  }
}

/**
 * Called when a batch has been applied but not yet committed. `token` lets `ModelWriter.outcome` find out
 * after a crash what became of it; the commit must not happen before the returned promise has resolved.
 */
export type Prepared = (token: string, results: RecordResult[]) => Promise<void>;

export interface ModelWriter {
  /** Records a batch should have at most. */
  batchSize: number;
  /**
   * Applies a batch: wholly or not at all. Returns one result per record, in order, once it is durable.
   *
   * @throws BatchRefused when the destination refuses the content; any other error means it could not be
   *   reached or asked, and that the batch may be tried again.
   */
  write(records: readonly OutgoingRecord[], prepared: Prepared): Promise<RecordResult[]>;
  /** What became of a prepared batch. Absent: the destination cannot tell, and a batch may arrive twice. */
  outcome?(token: string): Promise<'committed' | 'aborted'>;
}

/** What mode `replace` did to one row of the target. */
export interface ReplacedRow {
  status: 'inserted' | 'updated' | 'deleted';
  /** Text of its identity; null without one. */
  key: string | null;
  /** As they are now, or were before they were deleted. In the order of the definition's fields. */
  values: (string | null)[];
}

/**
 * Mode `replace`: the records that are added become the whole content of the object in one step, that readers see
 * before or after but not in between. Rows that are as they should be are left alone. Ends with its session.
 */
export interface ModelReplacement {
  /** Records that `add` should get at most. */
  batchSize: number;
  /** What the values of a replaced row are: fields of the target, in the order of the definition's. */
  fields: readonly Field[];
  /**
   * Adds records, all of them or none; nothing of it is to be seen yet.
   *
   * @throws BatchRefused as `ModelWriter.write` does. Any other error ends the replacement.
   */
  add(records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * @param kept identities of records that were not added because something is wrong with them: a row of the
   *   target that has one stays as it is. Nothing without an identity.
   * @param replaced is told of every row that changes, before the commit.
   * @param prepared as for `ModelWriter.write`.
   * @throws BatchRefused when the whole is refused, for a reason that no single record showed.
   */
  replace(
    kept: AsyncIterable<readonly string[]>,
    replaced: (rows: readonly ReplacedRow[]) => Promise<void>,
    prepared: (token: string) => Promise<void>,
  ): Promise<void>;
  /** As for `ModelWriter`. */
  outcome?(token: string): Promise<'committed' | 'aborted'>;
}

export interface ModelDestination {
  objects(): Promise<TargetObject[]>;
  /** @throws not_found for an unknown object. */
  fields(object: string): Promise<TargetField[]>;
  /** For every mode but `replace`. @throws invalid_field when the definition does not fit the target. */
  writer(definition: TargetDefinition): Promise<ModelWriter>;
  /** Where an object has mode `replace`. @throws invalid_field when the definition does not fit the target. */
  replacement?(definition: TargetDefinition): Promise<ModelReplacement>;
}

// --------------------------------------------------------------------------------------------------- bulk

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
}

export interface BulkColumn {
  /** Name in the source. */
  name: string;
  /** Name in the destination. */
  outputName: string;
  /** The PostgreSQL type that carries it, e.g. `numeric(20,4)`; a type of the source's own travels as text. */
  type: string;
  nullable: boolean;
  /** The source gives the digest of the value's text instead of the value: see `BulkRead.salt`. Its type is text. */
  obfuscated?: boolean;
}

export interface BulkTable {
  schemaId: string;
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
  /** Stores everything the stream gives. @throws ConnectionLost, or why it was refused. */
  write(rows: RowStream, format: WireFormat, range?: BulkRange): Promise<Written>;
  /** After it the rows are live. @param position kept with them: `BulkDestination.position` gives it back. */
  commit(position: JsonObject): Promise<Committed>;
  /** Ends the load at once; stored ranges stay for a run that takes over. Safe at any time, and after a failure. */
  abort(): Promise<void>;
  /** Ends the load and removes all of it. The live table was never touched. */
  discard(): Promise<void>;
}

export interface Written {
  rows: number;
  /** What was changed on writing because the destination cannot hold it. */
  warnings: ValueWarning[];
}

/** What a commit did to the live table; undefined where the destination does not count. */
export interface Committed {
  inserted?: number;
  updated?: number;
  deleted?: number;
  /** Changes of the table's shape, for people: `column price widened from integer to bigint`. */
  changes: string[];
}

export interface BulkDestination {
  formats: readonly WireFormat[];
  /** `BulkSyncDest.configuration` on the wire: option key → { default, items, required }. */
  options: JsonObject;
  /**
   * The position that was committed with the rows of the table as it is now; undefined when there is no such
   * table. It may be older than the rows, never newer: what lies behind it is merged once more.
   */
  position(target: BulkTarget): Promise<JsonObject | undefined>;
  /** @throws unprocessable when the live table cannot take the output: says why and what to do. */
  load(output: BulkOutput, plan: LoadPlan): Promise<TableLoad>;
}
