import { isDeepStrictEqual } from 'node:util';
import {
  type Field,
  type ModelDestination,
  newColumn,
  type TargetCreation,
  type TargetField,
} from '../connectors/index.ts';
import { messageOf, notFound, TidemarkError, unprocessable } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import { type ModelSyncDependencies, withModelDestination } from './destination.ts';
import type { Definition, MappedField, ModelSync } from './model-sync.ts';
import { knownField, type SyncedModels } from './synced-models.ts';

type TargetRequest = ModelSyncRequest['target'];
type Mapped = Omit<MappedField, 'createOnly'>;

const textField = { type: 'string', remoteType: 'text', nullable: true } as const;

const properties = [
  { id: 'schema', title: 'Schema', enum: true },
  { id: 'name', title: 'Table name', enum: false },
];

/** What is to be said to make a new target object. @param withValues what may be said of each property, too. */
export function presentCreator(
  deps: ModelSyncDependencies,
  organizationId: string,
  connectionId: string,
  withValues: boolean,
) {
  return withModelDestination(deps, organizationId, connectionId, async ({ creation }) => {
    if (creation === undefined) return { supported: false, properties: [] };
    if (!withValues) return { supported: true, properties };
    const values = await schemaValues(creation);
    return {
      supported: true,
      properties: properties.map((one) => ({ ...one, values: one.enum ? values : [] })),
    };
  });
}

const schemaValues = async (creation: TargetCreation) =>
  (await creation.schemas()).map((value) => ({ label: value, value }));

/** The values of one of these properties. @throws not_found */
export function describeCreateProperty(
  deps: ModelSyncDependencies,
  organizationId: string,
  connectionId: string,
  property: string,
) {
  return withModelDestination(deps, organizationId, connectionId, async ({ creation }) => {
    const found = properties.find(({ id }) => id === property);
    if (creation === undefined || found === undefined) throw notFound('target creation property', property);
    return { ...found, values: found.enum ? await schemaValues(creation) : [] };
  });
}

/**
 * What made the target of a sync comes back with every change of it: it means the target that was made, not another.
 *
 * @param current the sync that is being changed.
 */
export function madeBefore(target: TargetRequest, current: ModelSync | undefined): TargetRequest {
  const { create, new_name, object, ...rest } = target;
  const { connectionId, object: made } = current?.target ?? {};
  if (made === undefined || connectionId !== target.connection_id) return target;
  const before = current?.wording?.target ?? {};
  const same =
    isDeepStrictEqual(create ?? {}, before.create ?? {}) && (new_name ?? '') === (before.new_name ?? '');
  return same && (object || made) === made ? { ...rest, object: made } : target;
}

/** Whether a request wants a table of its own. @throws unprocessable */
export function wantsTable({ object, create, new_name }: TargetRequest): boolean {
  const wants = Object.keys(create ?? {}).length > 0 || Boolean(new_name);
  if (wants && object)
    throw unprocessable('target.object', 'is there already, or made by target.create: name one');
  if (!wants && !object) throw unprocessable('target.object', 'is needed');
  return wants;
}

/** What the request wants to be made: all of a new table, or fields of one that is there. */
function wanted(request: ModelSyncRequest, { identity, fields }: Definition): Mapped[] {
  const key = identity === null ? [] : [identity];
  if (wantsTable(request.target)) return [...key, ...fields];
  const isNew = [...request.fields, ...(request.override_fields ?? [])].map((field) => field.new === true);
  return [...(request.identity?.new_field ? key : []), ...fields.filter((_, index) => isNew[index])];
}

/** The field whose values a column gets; undefined: text. */
function sourceOf(models: SyncedModels, { field, encrypted }: Mapped): Field | undefined {
  return field === undefined || encrypted ? undefined : knownField(models, field);
}

/** What is to be made as fields that the target will have: nothing is made for a request that is refused. */
export function comingFields(
  models: SyncedModels,
  request: ModelSyncRequest,
  definition: Definition,
): TargetField[] {
  const asked = definition.identity?.function;
  return wanted(request, definition).map((one) => {
    const { type, remoteType, nullable } = sourceOf(models, one) ?? textField;
    return {
      ...{ type, remoteType, nullable, id: one.target, name: one.target },
      ...{ required: false, createable: true, updateable: true, filterable: true },
      identityFunctions: ['Equality', ...(type === 'string' && asked !== undefined ? [asked] : [])],
    };
  });
}

/**
 * Makes what the request wants to be made: a table with all the fields, or fields of one that is there. What is there
 * already is left as it is, so that a request may be sent again.
 *
 * @returns the target object.
 */
export async function createTarget(
  { creation }: ModelDestination,
  models: SyncedModels,
  request: ModelSyncRequest,
  definition: Definition,
): Promise<string> {
  const { identity, target } = definition;
  const columns = wanted(request, definition).map((one) => newColumn(one.target, sourceOf(models, one)));
  if (!wantsTable(request.target)) {
    if (columns.length > 0)
      await made('fields.new', need(creation, 'fields.new').addColumns(target.object, columns));
    return target.object;
  }
  const { schema, name } = await place(need(creation, 'target.create'), request.target);
  if (identity?.function !== undefined) {
    throw unprocessable('identity.function', 'a new table is made for Equality');
  }
  const primaryKey = identity === null ? [] : [identity.target];
  const output = { schema, name, origin: undefined, columns, primaryKey };
  return made('target.create', need(creation, 'target.create').createTable(output));
}

/** What the target says against it, e.g. that the user may not. */
function made<Result>(member: string, work: Promise<Result>): Promise<Result> {
  return work.catch((error: unknown) => {
    throw error instanceof TidemarkError ? error : unprocessable(member, messageOf(error));
  });
}

function need(creation: TargetCreation | undefined, member: string): TargetCreation {
  if (creation !== undefined) return creation;
  throw unprocessable(member, 'the target connection makes no tables and no fields');
}

async function place(
  creation: TargetCreation,
  { create, new_name }: TargetRequest,
): Promise<{ schema: string; name: string }> {
  const { schema: given, name: called, ...others } = create ?? {};
  const [other] = Object.keys(others);
  if (other !== undefined) throw unprocessable(`target.create.${other}`, 'is none of schema, name');
  const name = new_name || called;
  if (typeof name !== 'string' || name === '') throw unprocessable('target.create.name', 'is needed');
  if (name.startsWith('_tidemark_')) throw unprocessable('target.create.name', 'is one of Tidemark’s own');
  const schemas = await creation.schemas();
  const schema = given === undefined || given === '' ? schemas[0] : given;
  if (typeof schema !== 'string' || !schemas.includes(schema)) {
    throw unprocessable('target.create.schema', `is one of ${schemas.join(', ')}`);
  }
  return { schema, name };
}
