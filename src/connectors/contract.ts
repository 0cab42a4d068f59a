/**
 * What a connector is. One folder per system behind this contract and one line in `registry.ts`; the
 * conformance suite (`conformance.ts`) says the same in tests.
 *
 * Values travel as text in PostgreSQL's output format (ISO dates, `{1,NULL}` arrays, `\x` bytea, `t`/`f`),
 * null as null: the one text form that every value of every system we claim fits without loss. A connector
 * of another system encodes to it once on reading and decodes from it once on writing.
 */
import type { TObject } from 'typebox';
import type { FixedExpression } from '../conditions/index.ts';
import type { Egress } from '../egress/index.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { BulkDestination, BulkSource, ValueWarning } from './bulk-contract.ts';
import type { Enrichment } from './enrichment-contract.ts';
import type { ModelDestination } from './model-contract.ts';

export * from './bulk-contract.ts';
export * from './enrichment-contract.ts';
export * from './model-contract.ts';
export { BatchRefused, Busy, Contended, RecordsRefused, Unreachable } from './model-failures.ts';

export interface Connector {
  /** Connection type id on the wire, e.g. `postgresql`. */
  id: string;
  name: string;
  /**
   * JSON Schema of the connection's configuration, as the API publishes it. Properties marked
   * `sensitive: true` are sealed at rest and masked on read.
   */
  configuration: TObject;
  /** JSON Schema of what `target.configuration` of a model sync may say. Absent: nothing. */
  targetConfiguration?: TObject;
  /** What `configuration` of a model may say. Absent: it is no source of models. */
  modelConfiguration?: TObject;
  /** What `configuration` of a model's enricher may say. */
  enricherConfiguration?: TObject;
  capabilities: { source: boolean; destination: boolean; enrichment?: boolean };
  /**
   * Keys of the configuration, dotted ones too, that say where it leads: `server` to whom, so that the secrets are kept
   * from any other, and `within` to what of theirs. A model sync whose target has another address has another target.
   */
  address: { server: readonly string[]; within: readonly string[] };
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
  /** Milliseconds that a look at a model may take: its fields, a sample. Reading it for a sync has no limit. */
  lookTimeout?: number;
}

/** Somebody waits for the answer. */
export const usualLookTimeout = 8_000;

/** A configured connector in use. Parts a system does not have are absent. `close` ends all connections. */
export interface Session {
  /** @throws an Error that tells the user what does not work. Changes nothing. */
  test(): Promise<void>;
  /** Where a test sends nothing: whether anything answers there. Asked after an execution failed. */
  reach?(): Promise<void>;
  catalogue?: Catalogue;
  modelSource?: ModelSource;
  enrichment?: Enrichment;
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
  /** The PostgreSQL type that carries its values, where that is not the type's name. */
  carrier?: string;
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
  /** A few records of one schema as JSON objects, for people to look at. @throws not_found for an unknown schema. */
  records(schemaId: string, limit: number): Promise<string[]>;
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
  /** The fields whose change is a change of the record. Without it `fields`. */
  hashed?: string[];
  /**
   * The field that identifies a record. Without one a record is identified by its content and its
   * occurrence: the second of two equal rows is another record than the first.
   */
  identity?: string;
  /** Only the records that fit it, by any of the model's fields. */
  filter?: FixedExpression;
  /** Is told, when records have been read, of values that no text can carry as they are. */
  warned?: (warnings: readonly ValueWarning[]) => void;
}

/** `key`: text of the identity, null when it is NULL. `hash`: signed 64-bit, of what the query hashes, as decimal text. */
export interface KeyAndHash {
  key: string | null;
  hash: string;
  /** Why the record is not whole, e.g. a lookup that failed: it is not sent, but an error with this reason. */
  problem?: string;
}

export interface SourceRecord extends KeyAndHash {
  /** In the order of `ModelQuery.fields`. */
  values: (string | null)[];
}

/**
 * Rows in batches of any size. A source that has them as COPY text gives them as that, too, for those who pass them on:
 * bytes cut anywhere, of lines with key, hash and values in this order. Read one way or the other. Bytes of whole records
 * may only be kept until the next are asked for.
 */
export interface Batches<Row> extends AsyncIterable<Row[]> {
  lines?(): AsyncIterable<Buffer>;
}

export interface ModelSource {
  meta(parameters: Record<string, string[]>): Promise<SourceMeta>;
  /** @throws invalid_query or invalid_field when the configuration selects nothing readable. */
  fields(configuration: JsonObject): Promise<Field[]>;
  /** Values of the first records that come, in the order of `fields`. */
  sample(configuration: JsonObject, fields: string[], limit: number): Promise<(string | null)[][]>;
  /** Every record's key and hash, hashed in the source where it can. */
  keys(query: ModelQuery): Batches<KeyAndHash>;
  /** Full records: all of them, or those with one of `keys`. In any order. */
  records(query: ModelQuery, keys?: readonly string[]): Batches<SourceRecord>;
}
