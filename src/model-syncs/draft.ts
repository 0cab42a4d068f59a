import {
  type ModelDestination,
  type ModelSyncMode,
  type TargetField,
  type TargetObject,
  takesRecords,
} from '../connectors/index.ts';
import { unprocessable } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { orMeant } from '../lib/near-name.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import { type ModelSyncDependencies, targetObject, withModelDestination } from './destination.ts';
import { checkEncrypted, draftEncryption } from './encryption.ts';
import { requestedFilters } from './filter-requests.ts';
import { draftFilters, draftTargetFilters, type Filtering } from './filters.ts';
import { checkFixedValues } from './fixed-values.ts';
import { identityPlace, requestedIdentity } from './identity-request.ts';
import type { Definition, MappedField, ModelSync, ModelSyncDraft } from './model-sync.ts';
import { modeDescriptions } from './modes.ts';
import { checkOverrides, draftOverrides } from './overrides.ts';
import { draftSchedule } from './schedule.ts';
import { fieldOf, modelIdsOf, modelsOf, nameRelated, type SyncedModels } from './synced-models.ts';
import { comingFields, createTarget, madeBefore, wantsTable } from './target-creation.ts';
import { wordingOf } from './wording.ts';

/**
 * Checks a request against its model and its target, and at last makes what it wants to be made there. Stores nothing.
 *
 * @param current the sync that is being changed; undefined for a new one.
 */
export async function draftModelSync(
  deps: ModelSyncDependencies,
  organizationId: string,
  given: ModelSyncRequest,
  current?: ModelSync,
): Promise<ModelSyncDraft> {
  const request = {
    ...given,
    identity: requestedIdentity(given),
    target: madeBefore(given.target, current),
  };
  const { older, newer } = requestedFilters(request);
  const filters = [older, newer].flatMap((form) => form?.model.filters ?? []);
  const models = await modelsOf(deps.db, organizationId, request, filters);
  const { connection_id: connectionId, object, configuration } = request.target;
  wantsTable(request.target);
  const fields = [
    ...request.fields.map((field, index) => mapped(models, field, `fields.${index}`)),
    ...(request.override_fields ?? []).map((field, index) => {
      // To newer clients a mapping that stands among the constants is one of the fields.
      const place = `override_fields.${index}`;
      return field.source ? mapped(models, field, place) : constant(field, place);
    }),
  ];
  // What is created or removed may have nothing but its identity.
  if (fields.length === 0 && (request.mode === 'update' || !request.identity))
    throw unprocessable('fields', 'map at least one field');
  const identity = request.identity
    ? {
        field: fieldOf(models, request.identity.source, `${identityPlace(request)}.source`),
        target: request.identity.target,
        ...(request.identity.function === 'Equality' ? {} : { function: request.identity.function }),
      }
    : null;
  const named = nameRelated(models, [...(identity === null ? [] : [identity]), ...fields]);
  const filtering = draftFilters(models, request);
  const draft: ModelSyncDraft = {
    name: request.name,
    active: request.active ?? false,
    schedule: await draftSchedule(deps.db, organizationId, request.schedule, current?.id),
    modelId: models.base.id,
    modelIds: modelIdsOf(models, { identity, fields, filters: filtering.filters }),
    mode: request.mode === 'snapshot' ? 'replace' : request.mode,
    modeName: request.mode,
    // A request body is JSON, so its members are.
    target: { connectionId, object: object ?? '', configuration: (configuration ?? {}) as JsonObject },
    identity: identity && named(identity),
    fields: fields.map(named),
    ...filtering,
    targetFiltering: { filters: [], filterLogic: '' },
    overrides: draftOverrides(models, request),
    encryption: draftEncryption(deps.keyRing, request, fields, current?.encryption ?? null),
    syncAllRecords: request.sync_all_records ?? false,
    // Mode replace makes the target equal to the model from its first execution: there is nothing to skip.
    skipInitialBackfill:
      (request.skip_initial_backfill ?? false) && request.mode !== 'replace' && request.mode !== 'snapshot',
    onlyEnrichUpdates: request.only_enrich_updates ?? false,
    maxDeletes:
      request.max_deletes == null || request.max_deletes === '' ? null : String(request.max_deletes),
    wording: wordingOf(given),
  };
  checkMode(draft, models.base.identifier);
  checkOverrides(draft);
  return withModelDestination(deps, organizationId, connectionId, async (destination) => {
    const coming = comingFields(models, request, draft);
    // Nothing is made for a request that is refused.
    if (coming.length > 0) await checkTarget(destination, models, request, draft, coming);
    draft.target.object = await createTarget(destination, models, request, draft);
    return { ...draft, targetFiltering: await checkTarget(destination, models, request, draft) };
  });
}

type RequestField = ModelSyncRequest['fields'][number];

function mapped(models: SyncedModels, field: RequestField, name: string): MappedField {
  if (field.override_value != null) return constant(field, name);
  return {
    field: fieldOf(models, field.source, `${name}.source`),
    target: field.target,
    createOnly: isCreateOnly(field, name),
    ...(field.encryption_enabled ? { encrypted: true } : {}),
  };
}

/** A constant's source is ignored. */
function constant(field: RequestField, name: string): MappedField {
  if (field.override_value == null) throw unprocessable(`${name}.override_value`, 'is needed');
  return {
    constant: field.override_value,
    target: field.target,
    createOnly: isCreateOnly(field, name),
    ...(field.encryption_enabled ? { encrypted: true } : {}),
  };
}

function isCreateOnly({ sync_mode }: RequestField, name: string): boolean {
  const mode = sync_mode || 'updateOrCreate';
  if (mode === 'updateOrCreate' || mode === 'create') return mode === 'create';
  throw unprocessable(`${name}.sync_mode`, 'is updateOrCreate or create');
}

/** Settings that would have no effect in this mode, or another than they say. */
function checkMode(definition: Definition, identifier: string | null): void {
  const { mode, onlyEnrichUpdates, fields, identity } = definition;
  if (onlyEnrichUpdates && mode === 'replace') {
    throw unprocessable('only_enrich_updates', 'mode replace always sends the whole model');
  }
  if (onlyEnrichUpdates && identity === null && identifier === null) {
    const reason =
      'needs an identity, in the sync or as identifier of its model: else a record is all that is mapped';
    throw unprocessable('only_enrich_updates', reason);
  }
  const createOnly = fields.findIndex((field) => field.createOnly);
  if (createOnly >= 0 && (mode === 'replace' || mode === 'remove')) {
    throw unprocessable(`fields.${createOnly}.sync_mode`, `mode ${mode} has no fields that are only created`);
  }
}

/** What a mode does to the fields of the target. */
const effects: Record<ModelSyncMode, { creates: boolean; updates: boolean }> = {
  create: { creates: true, updates: false },
  append: { creates: true, updates: false },
  update: { creates: false, updates: true },
  updateOrCreate: { creates: true, updates: true },
  replace: { creates: true, updates: true },
  remove: { creates: false, updates: false },
};

/** @param coming fields that are about to be made, all of a new table. */
async function checkTarget(
  destination: ModelDestination,
  models: SyncedModels,
  request: ModelSyncRequest,
  definition: Definition,
  coming: readonly TargetField[] = [],
): Promise<Filtering> {
  const { object: id, configuration } = definition.target;
  const object = id === '' ? newTable(definition) : await targetObject(destination, id);
  if (!object.modes.includes(definition.mode)) {
    const modes = object.modes.join(', ');
    const { [definition.mode]: lacking } = object.lacking ?? {};
    const reason = `${definition.mode} is not supported by ${object.id}, which takes ${modes}`;
    throw unprocessable('mode', lacking === undefined ? reason : `${reason}: ${lacking}`);
  }
  destination.check?.(object.id, configuration, namesOf(definition));
  const there = id === '' ? [] : await destination.fields(id);
  const known = new Set(there.map((field) => field.id));
  const targets = [...there, ...coming.filter((one) => !known.has(one.id))];
  checkIdentity(definition, targets, identityPlace(request));
  checkFields(definition, object.id, targets);
  await checkFixedValues(destination, models, request, definition, there);
  return draftTargetFilters(targets, request);
}

function namesOf({ identity, fields }: Definition): string[] {
  const names = [...(identity === null ? [] : [identity]), ...fields].flatMap(
    ({ field, as = field }) => as ?? [],
  );
  return [...new Set(names)];
}

const newTable = ({ mode }: Definition): TargetObject => ({ id: 'the new table', name: '', modes: [mode] });

function checkFields(definition: Definition, object: string, targets: readonly TargetField[]): void {
  const wholeRecords = takesRecords(targets);
  const near = (target: string) => orMeant(target, namesOfTargets(targets));
  checkEncrypted(definition, targets);
  const known = new Map(targets.map((field) => [field.id, field]));
  const seen = new Set<string>();
  for (const [index, { target, createOnly, constant }] of definition.fields.entries()) {
    const field = known.get(target);
    const name = `fields.${index}.target`;
    if (createOnly && wholeRecords) {
      throw unprocessable(
        `fields.${index}.sync_mode`,
        `${object} takes whole records: none of its fields is only created`,
      );
    }
    if (constant !== undefined && wholeRecords) {
      throw unprocessable(name, `a constant needs a field of its own, and ${object} takes whole records`);
    }
    if (field === undefined) {
      throw unprocessable(name, `${JSON.stringify(target)} is not a field of ${object}${near(target)}`);
    }
    const { creates, updates } = effects[definition.mode];
    const writable = (!creates || field.createable) && (!updates || createOnly || field.updateable);
    if (!writable) throw unprocessable(name, `${target} cannot be written`);
    // A target that takes whole records, like a webhook, has one field that all are mapped to.
    const twice = seen.has(target) || definition.identity?.target === target;
    seen.add(target);
    if (twice && !wholeRecords) throw unprocessable(name, `${target} is mapped twice`);
  }
}

const namesOfTargets = (targets: readonly TargetField[]) => targets.map(({ id }) => id);

/** @param place of the identity in the request. */
function checkIdentity({ identity, mode }: Definition, targets: readonly TargetField[], place: string): void {
  if (identity === null) {
    const needed = modeDescriptions[mode].requires_identity;
    const possible = targets.some((field) => field.identityFunctions.length > 0);
    if (needed && possible) throw unprocessable(place, `mode ${mode} needs one`);
    return;
  }
  const field = targets.find((one) => one.id === identity.target);
  if (field === undefined) {
    const near = orMeant(identity.target, namesOfTargets(targets));
    const reason = `${JSON.stringify(identity.target)} is not a field of the target${near}`;
    throw unprocessable(`${place}.target`, reason);
  }
  const { identityFunctions: functions } = field;
  const { function: asked = 'Equality' } = identity;
  if (takesRecords(targets) && asked === 'Equality') return;
  if (functions.length === 0) throw unprocessable(`${place}.target`, `${field.id} cannot identify a record`);
  if (!functions.includes(asked)) {
    throw unprocessable(`${place}.function`, `${field.id} takes ${functions.join(', ')}`);
  }
  if (effects[mode].creates && !field.createable) {
    const reason = `${field.id} is filled in by the target, and mode ${mode} would have to write it`;
    throw unprocessable(`${place}.target`, reason);
  }
  if (mode === 'replace' && asked !== 'Equality') {
    throw unprocessable(`${place}.function`, 'mode replace makes the target equal: use Equality');
  }
}
