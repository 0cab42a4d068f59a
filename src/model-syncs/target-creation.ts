import {
  type BulkColumn,
  type ModelDestination,
  newColumn,
  type TargetCreation,
} from '../connectors/index.ts';
import { messageOf, notFound, TidemarkError, unprocessable } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import { type ModelSyncDependencies, withModelDestination } from './destination.ts';
import type { Definition, MappedField } from './model-sync.ts';
import { knownField, type SyncedModels } from './synced-models.ts';

type TargetRequest = ModelSyncRequest['target'];

const properties = [
  { id: 'schema', title: 'Schema', enum: true },
  { id: 'name', title: 'Table name', enum: false },
];

/** What is to be said to make a new target object. */
export function presentCreator(deps: ModelSyncDependencies, organizationId: string, connectionId: string) {
  return withModelDestination(deps, organizationId, connectionId, async ({ creation }) =>
    creation === undefined ? { supported: false, properties: [] } : { supported: true, properties },
  );
}

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
    const values = found.enum ? await creation.schemas() : [];
    return { ...found, values: values.map((value) => ({ label: value, value })) };
  });
}

/** Whether a request wants a table of its own. @throws unprocessable */
export function wantsTable({ object, create, new_name }: TargetRequest): boolean {
  const wants = Object.keys(create ?? {}).length > 0 || Boolean(new_name);
  if (wants && object)
    throw unprocessable('target.object', 'is there already, or made by target.create: name one');
  if (!wants && !object) throw unprocessable('target.object', 'is needed');
  return wants;
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
  { identity, fields, target: { object } }: Definition,
): Promise<string> {
  const column = ({ field, target, encrypted }: Omit<MappedField, 'createOnly'>): BulkColumn =>
    newColumn(target, field === undefined || encrypted ? undefined : knownField(models, field));
  if (wantsTable(request.target)) {
    const { schema, name } = await place(need(creation, 'target.create'), request.target);
    const all = [...(identity === null ? [] : [identity]), ...fields];
    if (identity?.function !== undefined) {
      throw unprocessable('identity.function', 'a new table is made for Equality');
    }
    const output = {
      ...{ schema, name, origin: undefined },
      columns: all.map(column),
      primaryKey: identity === null ? [] : [identity.target],
    };
    return made('target.create', need(creation, 'target.create').createTable(output));
  }
  const isNew = [...request.fields, ...(request.override_fields ?? [])].map((field) => field.new === true);
  const wanted = [
    ...(identity !== null && request.identity?.new_field ? [identity] : []),
    ...fields.filter((_, index) => isNew[index]),
  ];
  if (wanted.length > 0) {
    await made('fields.new', need(creation, 'fields.new').addColumns(object, wanted.map(column)));
  }
  return object;
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
