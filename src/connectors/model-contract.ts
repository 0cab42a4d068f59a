/** The destination of model syncs: records, one by one. What a connector is otherwise is in contract.ts. */
import type { FixedExpression } from '../conditions/index.ts';
import type { ByteWriter } from '../lib/byte-writer.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkColumn, BulkOutput } from './bulk-contract.ts';
import type { Field } from './contract.ts';

export type ModelSyncMode = 'create' | 'update' | 'updateOrCreate' | 'append' | 'replace' | 'remove';

/**
 * `ISubstring`: the target's text has the record's in it, in either case. `OneOf`: the target's list has it as a member.
 * `DomainMatch`, `HostnameMatch`: both have the same domain or host, of an address or URL.
 */
export type IdentityFunction = 'Equality' | 'ISubstring' | 'OneOf' | 'DomainMatch' | 'HostnameMatch';

export interface TargetObject {
  id: string;
  name: string;
  /** None of something that is there and takes no records. */
  modes: ModelSyncMode[];
  /** Why it does not have the others. */
  lacking?: Partial<Record<ModelSyncMode, string>>;
  /** A sync has to say more than which object: `target.configuration`. */
  requiresConfiguration?: true;
}

export interface TargetField extends Field {
  id: string;
  required: boolean;
  createable: boolean;
  updateable: boolean;
  filterable: boolean;
  /** How a record's identity may be compared with it; none where it cannot identify a record. */
  identityFunctions: readonly IdentityFunction[];
}

export interface TargetDefinition {
  sync: { id: string; name: string };
  object: string;
  configuration: JsonObject;
  /** Signed 64-bit number that says how records are mapped: with it their hashes tell what is sent. */
  digest?: string;
  mode: ModelSyncMode;
  /** Target field that identifies a record; its value is the record's `key`. */
  identity?: string;
  /** How it is compared. Absent: the values are equal. */
  identityFunction?: IdentityFunction;
  /** In mode `update`: rows of the target that do not fit it are left alone. */
  filter?: FixedExpression;
  /** One per value of an outgoing record, in order. */
  fields: { source: Field; target: string /** Write only on creation. */; createOnly: boolean }[];
}

/** A value that is known before there is a record: a constant, or what is sent instead of a field's value. */
export interface FixedValue {
  target: string;
  /** How its text reads. */
  source: Field;
  text: string | null;
}

export interface OutgoingRecord {
  key: string;
  hash: string;
  values: (string | null)[];
}

/** Records that become JSON objects of their values, in UTF-8. */
export interface RecordObjects {
  length: number;
  /** Writes the object of the record at a place, once for each. */
  write(index: number, out: ByteWriter): void;
  /** Eight bytes of each: the record's hash. */
  hashes: Buffer;
}

/** A value that was stored with less precision than it has. */
export interface FieldWarning {
  /** Of the target. */
  field: string;
  /** Name of the change. */
  rule: string;
  /** For people. */
  reason: string;
  /** The value as it was sent. */
  value: string;
}

/** `skipped`: the mode had nothing to do, e.g. `update` or `remove` of a record the destination does not have. */
export type RecordResult =
  | { status: 'inserted' | 'updated' | 'upserted' | 'deleted' | 'skipped'; warnings?: FieldWarning[] }
  | { status: 'refused'; reason: string };

/** What a destination says of a record that it has not stored yet. */
export interface CheckedRecord {
  /** Why it is not taken. */
  refused: string | undefined;
  warnings: readonly FieldWarning[];
}

/**
 * Called when a batch has been applied but not yet committed. `token` lets `ModelWriter.outcome` find out
 * after a crash what became of it; the commit must not happen before the returned promise has resolved.
 */
export type Prepared = (token: string, results: RecordResult[]) => Promise<void>;

export interface ModelWriter {
  /** Records a batch should have at most. */
  batchSize: number;
  /** Batches that may be on their way at a time, where none of them is prepared. Absent: one. */
  atATime?: number;
  /**
   * Applies a batch: wholly or not at all. Returns one result per record, in order, once it is durable.
   *
   * @throws BatchRefused when the destination refuses the batch, Busy when it wants it later, Contended when somebody
   *   was in its way, TidemarkError when it would never take any; any other error means that it could not be reached or
   *   asked, or is in trouble, and that the batch may be tried again.
   */
  write(records: readonly OutgoingRecord[], prepared: Prepared): Promise<RecordResult[]>;
  /** The same for a destination that reads COPY text: lines of place in the batch (from 0), key and values. */
  writeLines?(lines: Buffer, count: number, prepared: Prepared): Promise<RecordResult[]>;
  /** The same for a destination that wants JSON: objects of the values, as `jsonText` says them. */
  objects?: {
    /** Under which it wants the values, in their order. */
    names: readonly string[];
    /** Writes a batch as it is sent, while another is on its way. */
    write(records: RecordObjects, out: ByteWriter): void;
    /** @param body that was written, of so many records. */
    send(body: Buffer, count: number): Promise<RecordResult[]>;
  };
  /**
   * Does what it does for a batch without a record, and keeps nothing of it: what is refused then is no record's fault.
   * Absent: the destination cannot be asked so. Throws as `write` does.
   */
  tryEmpty?(): Promise<void>;
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
   * Adds records, all of them or none, save those that are refused; nothing of it is to be seen yet.
   *
   * @returns by place what is to be said of the records; nothing where all are taken as they are.
   * @throws BatchRefused as `ModelWriter.write` does. Any other error ends the replacement.
   */
  add(records: readonly OutgoingRecord[]): Promise<readonly CheckedRecord[]>;
  /**
   * @param kept identities of records that were not added because something is wrong with them: a row of the
   *   target that has one stays as it is. Nothing without an identity.
   * @param replaced is told of every row that changes, before the commit.
   * @param prepared as for `ModelWriter.write`.
   * @throws RecordsRefused when it is refused for some of the records, which only its last step shows; BatchRefused when
   *   the whole is refused, for a reason that no single record showed.
   */
  replace(
    kept: AsyncIterable<readonly string[]>,
    replaced: (rows: readonly ReplacedRow[]) => Promise<void>,
    prepared: (token: string) => Promise<void>,
  ): Promise<void>;
  /** As for `ModelWriter`. */
  outcome?(token: string): Promise<'committed' | 'aborted'>;
}

/**
 * Groups of identities that differ as text and are one to the target: `7` and `07` in a column of numbers, `Ann` and `ann`
 * where its collation does not tell cases apart. Those that are no value of its type are in none.
 */
export type AlikeIdentities = (keys: AsyncIterable<readonly string[]>) => AsyncIterable<readonly string[]>;

/** What tells whether an object is still the one that took what it has taken. */
export interface TargetLife {
  /** Another one when it was dropped and made new. */
  made?: string;
  /** Another one when it was emptied at once, and also when its rows were moved. */
  stored?: string;
  isEmpty: boolean;
  /** Counts its rows, which takes its time. */
  rows?(): Promise<number>;
}

/** How tables and their columns are made for model syncs. */
export interface TargetCreation {
  /** Where tables can be made; first the one that is meant where none is named. */
  schemas(): Promise<string[]>;
  /**
   * Makes a table, unless there is one of that name, with a key where it has one.
   *
   * @returns its id as a target object.
   * @throws unprocessable for names that cannot be.
   */
  createTable(output: BulkOutput): Promise<string>;
  /** Adds those that are not there. @throws unprocessable for names that cannot be. */
  addColumns(object: string, columns: readonly BulkColumn[]): Promise<void>;
}

export interface ModelDestination {
  creation?: TargetCreation;
  objects(): Promise<TargetObject[]>;
  /** @throws not_found for an unknown object. */
  fields(object: string): Promise<TargetField[]>;
  /**
   * Looks at `target.configuration` and what the mapped fields are called when a sync is saved.
   *
   * @throws invalid_field
   */
  check?(object: string, configuration: JsonObject, names: readonly string[]): void;
  /** By place, why a value would be refused in any record. Keeps nothing. Absent: every value is taken. */
  refusals?(object: string, values: readonly FixedValue[]): Promise<(string | undefined)[]>;
  /** Where an object is kept, if `target.configuration` says it: another place has nothing that this one has taken. */
  place?(configuration: JsonObject): string;
  /** Undefined where identities that differ as text are never one. */
  alike?(definition: TargetDefinition): Promise<AlikeIdentities | undefined>;
  /** Absent, or undefined: it cannot tell. */
  life?(definition: TargetDefinition): Promise<TargetLife | undefined>;
  /** For every mode but `replace`. @throws invalid_field when the definition does not fit the target. */
  writer(definition: TargetDefinition): Promise<ModelWriter>;
  /**
   * Where an object has mode `replace`.
   *
   * @param refused of `RecordsRefused`: they are refused when they are added.
   * @throws invalid_field when the definition does not fit the target.
   */
  replacement?(
    definition: TargetDefinition,
    refused?: ReadonlyMap<string, string>,
  ): Promise<ModelReplacement>;
}
