import { createHash } from 'node:crypto';
import { atTime } from '../conditions/index.ts';
import {
  type Field,
  type ModelDestination,
  type OutgoingRecord,
  type TargetDefinition,
  takesRecords,
} from '../connectors/index.ts';
import { type Model, type RecordQuery, splitRelatedName } from '../models/index.ts';
import { filterOf } from './filters.ts';
import type { Definition, MappedField, ModelSync } from './model-sync.ts';
import type { PlannedRecord } from './planned-batch.ts';
import { SyncFailed } from './sync-failed.ts';
import { fieldsUsedBy } from './synced-models.ts';

/**
 * Everything an execution does, fixed when it plans and kept in its checkpoint: a sync that is edited
 * meanwhile changes the next execution, and a worker that takes over goes on with the same mapping.
 */
export interface Task {
  targetConnectionId: string;
  query: RecordQuery;
  target: TargetDefinition;
  /** What the values of a record are once it is read; undefined where that is the query's fields. */
  columns?: Column[];
  /** For every value of an outgoing record, the place of its column, or a text that all have. */
  places: (number | string)[];
  /** Names of the values in record logs. */
  names: string[];
  /** Name of the identity in record logs. */
  identityName: string;
  /** What the baseline is about, see `model_sync_baselines.target`. */
  baselineTarget: string;
  /** See `Definition.maxDeletes`. Absent in plans of older versions. */
  maxDeletes?: string | null;
  /** Signed 64-bit number, mixed into every hash so that another mapping changes every record. */
  mappingDigest: string;
}

export interface Column {
  field: string;
  encrypted: boolean;
}

/** What is planned, as the destination gets it. */
export function outgoing({ places }: Task, records: readonly PlannedRecord[]): OutgoingRecord[] {
  return records.map(({ key, hash, values }) => ({
    key,
    hash,
    values: places.map((place) => valueAt(values, place)),
  }));
}

export function valueAt(values: readonly (string | null)[], place: number | string): string | null {
  return typeof place === 'string' ? place : (values[place] ?? null);
}

/** Names of the fields that an execution asks its model for. */
export function fieldsReadBy(sync: ModelSync, model: Model): string[] {
  const needed = sync.onlyEnrichUpdates ? leadingOn(model) : [];
  return [identityOf(sync, model) ?? [], model.trackingColumns, fieldsUsedBy(sync), needed].flat();
}

/** The fields whose change is a change of the record, where that is not what is mapped, and in one order always. */
function hashedOf(sync: ModelSync, model: Model, mapped: readonly string[]): { hashed?: string[] } {
  const hashed = changingOf(sync, model, mapped).toSorted();
  return hashed.join('\0') === mapped.join('\0') ? {} : { hashed };
}

function changingOf(sync: ModelSync, model: Model, mapped: readonly string[]): readonly string[] {
  const { trackingColumns } = model;
  // Without an identity a record is its content: only all of that says whether it is another one.
  if (identityOf(sync, model) === undefined) return mapped;
  const own = mapped.filter((name) => splitRelatedName(name) === undefined);
  if (sync.onlyEnrichUpdates) {
    return trackingColumns.length > 0 ? trackingColumns : [...new Set([...own, ...leadingOn(model)])];
  }
  if (trackingColumns.length === 0) return mapped;
  // Tracking columns know nothing of related models.
  return [...trackingColumns, ...mapped.filter((name) => !own.includes(name))];
}

/** Own fields that say which partners a record has, and what is looked up for it. */
function leadingOn({ relations, enricher }: Model): string[] {
  return [...relations.map(({ from }) => from), ...Object.keys(enricher?.mappings ?? {})];
}

function identityOf(sync: ModelSync, model: Model): string | undefined {
  return sync.identity?.field ?? model.identifier ?? undefined;
}

/**
 * @param fields of the model, as the source describes them now.
 * @param destination.address of the connection, see `addressOf`.
 * @param startedAt what filters by relative times count from.
 */
export async function buildTask(
  sync: ModelSync,
  model: Model,
  fields: readonly Field[],
  { part: destination, address }: { part: ModelDestination; address: string },
  startedAt: string,
): Promise<Task> {
  const targets = await destination.fields(sync.target.object);
  const wholeRecords = takesRecords(targets);
  const mapping = mappingOf(sync, wholeRecords);
  const identity = identityOf(sync, model);
  const filter = filterOf(sync);
  const targetFilter = filterOf(sync.targetFiltering, 'target.filter_logic');
  const mapped = [...new Set(mapping.flatMap(({ field }) => field ?? []))];
  // Mode remove may map nothing, and so may constants; a source is always asked for something.
  const names = mapped.length === 0 && identity !== undefined ? [identity] : mapped;
  const place = destination.place?.(sync.target.configuration);
  if (sync.encryption === null && mapping.some(({ encrypted = false }) => encrypted)) {
    throw new SyncFailed('The sync has encrypted fields and no passphrase; save it with one');
  }
  const columns = sync.encryption === null ? undefined : columnsOf(mapping);
  const placeOf = ({ field = '', encrypted = false }: MappedField) =>
    columns?.findIndex((one) => one.field === field && one.encrypted === encrypted) ?? names.indexOf(field);
  const mappingDigest = digestOf(mapping, sync);
  return {
    targetConnectionId: sync.target.connectionId,
    query: {
      fields: names,
      ...hashedOf(sync, model, names),
      ...(identity === undefined ? {} : { identity: need(fields, identity).name }),
      ...(filter === undefined ? {} : { filter: atTime(filter, startedAt) }),
    },
    target: {
      sync: { id: sync.id, name: sync.name },
      object: sync.target.object,
      configuration: sync.target.configuration,
      digest: mappingDigest,
      mode: sync.mode,
      ...(targetFilter === undefined ? {} : { filter: atTime(targetFilter, startedAt) }),
      ...(sync.identity === null
        ? {}
        : {
            identity: sync.identity.target,
            ...(sync.identity.function === undefined ? {} : { identityFunction: sync.identity.function }),
          }),
      fields: mapping.map(({ field, as, target, createOnly, encrypted }) => ({
        source:
          field === undefined
            ? textField(target)
            : encrypted
              ? textField(need(fields, field, as).name)
              : need(fields, field, as),
        target,
        createOnly,
      })),
    },
    ...(columns === undefined ? {} : { columns }),
    places: mapping.map((one) => one.constant ?? placeOf(one)),
    names: mapping.map(({ field, as = field, target }) => (wholeRecords && as ? as : target)),
    identityName:
      (wholeRecords ? (sync.identity?.as ?? sync.identity?.field) : sync.identity?.target) ??
      identity ??
      'record',
    baselineTarget: JSON.stringify([
      sync.target.connectionId,
      address,
      sync.target.object,
      model.id,
      identity ?? null,
      sync.identity?.target ?? null,
      ...(sync.identity?.function === undefined ? [] : [sync.identity.function]),
      ...(place === undefined ? [] : [{ place }]),
      // What was removed is not there for any other mode, nor is what others have written removed.
      ...(sync.mode === 'remove' ? [{ removes: true }] : []),
    ]),
    maxDeletes: sync.maxDeletes,
    mappingDigest,
  };
}

/** Of everything but the source's values that decides what is sent. Not of the order of the fields, which some forget. */
function digestOf(fields: readonly MappedField[], { overrides, encryption }: Definition): string {
  const mapping = fields.map((field) => JSON.stringify(field)).toSorted();
  const more = [
    ...(overrides.length === 0 ? [] : [overrides]),
    ...(encryption === null ? [] : [encryption.salt]),
  ];
  const decisive = JSON.stringify(more.length === 0 ? mapping : [mapping, ...more]);
  return createHash('sha256').update(decisive).digest().readBigInt64BE().toString();
}

/** Each value once, and none in the clear that is sent encrypted alone. */
function columnsOf(mapping: readonly MappedField[]): Column[] {
  const columns = mapping.flatMap(({ field, encrypted = false }) =>
    field === undefined ? [] : { field, encrypted },
  );
  return columns.filter(
    (one, index) =>
      index ===
      columns.findIndex(({ field, encrypted }) => field === one.field && encrypted === one.encrypted),
  );
}

/** A target of one field, like a webhook, takes whole records: there the identity is a field like the others. */
function mappingOf({ fields, identity }: Definition, wholeRecords: boolean): MappedField[] {
  if (!wholeRecords || identity === null) return fields;
  const others = fields.filter(({ field }) => field !== identity.field);
  return [{ ...identity, createOnly: false }, ...others];
}

/** What a constant is of, and an encrypted value. */
export function textField(name: string): Field {
  return { name, type: 'string', remoteType: 'text', nullable: false };
}

/** @param as what the target knows it by, if not by its name. */
function need(fields: readonly Field[], name: string, as = name): Field {
  const field = fields.find((one) => one.name === name);
  if (field !== undefined) return { ...field, name: as };
  const { field: shown } = splitRelatedName(name) ?? { field: name };
  throw new SyncFailed(
    `The model has no field ${JSON.stringify(shown)} any more; save the model or change the mapping`,
  );
}
