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
import type { Egress } from '../egress/index.ts';
import type { Json, JsonObject } from '../lib/json.ts';

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
  /** Connects to nothing yet. `configuration` has been validated against the schema. */
  open(configuration: JsonObject, context: ConnectorContext): Session;
}

export interface ConnectorContext {
  egress: Egress;
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

/** `UtilFieldType` on the wire. */
export type FieldType =
  | 'unknown'
  | 'string'
  | 'number'
  | 'boolean'
  | 'datetime'
  | 'array'
  | 'object'
  | 'binary';

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

/** `skipped`: the mode had nothing to do, e.g. `update` of a record the destination does not have. */
export type RecordResult =
  | { status: 'inserted' | 'updated' | 'upserted' | 'skipped' }
  | { status: 'refused'; reason: string };

/** The destination refused a batch for its content and kept none of it. The caller splits and tries again. */
export class BatchRefused extends Error {
  override name = 'BatchRefused';
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

export interface ModelDestination {
  objects(): Promise<TargetObject[]>;
  /** @throws not_found for an unknown object. */
  fields(object: string): Promise<TargetField[]>;
  /** @throws invalid_field when the definition does not fit the target. */
  writer(definition: TargetDefinition): Promise<ModelWriter>;
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
  /** Where it is there, a chunk may be given back once its bytes are not needed: its memory is used again. */
  recycle?(chunk: Buffer): void;
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

export interface BulkSource {
  /** @param columns source names to read; undefined reads all. @throws when the table is gone. */
  table(schemaId: string, columns: readonly string[] | undefined): Promise<BulkTable>;
  /** The rows of a table, as one consistent snapshot. @throws ConnectionLost, also through the stream. */
  read(table: BulkTable, format: WireFormat): Promise<RowStream>;
}

export interface BulkOutput {
  origin: string | undefined;
  /** Destination schema (namespace) and table name. */
  schema: string;
  name: string;
  columns: BulkColumn[];
  primaryKey: string[];
}

/** Loads one table beside the live one and swaps it in; readers see the old rows or all the new ones. */
export interface TableLoad {
  /** Stores everything the stream gives. Returns the rows. @throws ConnectionLost, or why it was refused. */
  write(rows: RowStream, format: WireFormat): Promise<number>;
  /** Builds keys and swaps. After it the rows are live. */
  commit(): Promise<void>;
  /** Removes what was loaded; the live table was never touched. Safe at any time, and after a failure. */
  abort(): Promise<void>;
}

export interface BulkDestination {
  formats: readonly WireFormat[];
  /** `BulkSyncDest.configuration` on the wire: option key → { default, items, required }. */
  options: JsonObject;
  /** @param executionId lets a run that takes over end the load of the run before it, wherever that is. */
  load(output: BulkOutput, executionId: string): Promise<TableLoad>;
}
