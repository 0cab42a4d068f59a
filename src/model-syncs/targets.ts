import {
  type IdentityFunction,
  type ModelSyncMode,
  type TargetField,
  type TargetObject,
  takesRecords,
} from '../connectors/index.ts';
import { notFound } from '../errors.ts';
import type { TargetDescription, TargetObjectDescription } from '../schema/model-sync-target.ts';
import { type ModelSyncDependencies, withModelDestination } from './destination.ts';
import { isEncryptable } from './encryption.ts';
import { modeDescriptions } from './modes.ts';

/** The objects of a connection that a model sync can write to. */
export function listTargetObjects(
  deps: ModelSyncDependencies,
  organizationId: string,
  connectionId: string,
): Promise<TargetObjectDescription[]> {
  return withModelDestination(deps, organizationId, connectionId, async (destination) =>
    (await destination.objects()).filter(({ modes }) => modes.length > 0).map(presentObject),
  );
}

/** One target object with its fields, read from the destination now. */
export function describeTarget(
  deps: ModelSyncDependencies,
  organizationId: string,
  connectionId: string,
  objectId: string,
): Promise<TargetDescription> {
  return withModelDestination(deps, organizationId, connectionId, async (destination) => {
    const creates = destination.creation !== undefined;
    const object = (await destination.objects()).find((one) => one.id === objectId);
    if (object === undefined || object.modes.length === 0) throw notFound('target object', objectId);
    const fields = await destination.fields(objectId);
    const wholeRecords = takesRecords(fields);
    return {
      id: object.id,
      name: object.name,
      modes: named(object.modes).map(([name, mode]) => ({
        mode: name,
        ...modeDescriptions[mode],
        supports_field_sync_mode: !wholeRecords && supportsFieldMode(mode),
        supports_target_filters: mode === 'update',
      })),
      fields: fields.map((field) => presentField(field, wholeRecords || isEncryptable(field))),
      properties: {
        mappings_not_required: false,
        requires_configuration: object.requiresConfiguration ?? false,
        supports_field_creation: creates,
        supports_field_encryption: true,
        supports_identity_field_creation: creates,
        supports_target_filters: object.modes.includes('update'),
        target_creator: creates,
      },
      refreshed_at: new Date().toISOString(),
    };
  });
}

function presentObject(object: TargetObject): TargetObjectDescription {
  return {
    id: object.id,
    name: object.name,
    modes: named(object.modes).map(([id, mode]) => ({
      id,
      requires_identity: modeDescriptions[mode].requires_identity,
      supports_per_field_mode: supportsFieldMode(mode),
      supports_target_filters: mode === 'update',
    })),
  };
}

/** With the names they go by: `replace` has two. */
function named(modes: readonly ModelSyncMode[]): [name: string, mode: ModelSyncMode][] {
  return modes.flatMap((mode): [string, ModelSyncMode][] =>
    mode === 'replace'
      ? [
          [mode, mode],
          ['snapshot', mode],
        ]
      : [[mode, mode]],
  );
}

/** Create-only fields make a difference only where a mode both creates and updates. */
function supportsFieldMode(mode: string): boolean {
  return mode === 'updateOrCreate';
}

const functionLabels: Record<IdentityFunction, string> = {
  Equality: 'equals',
  ISubstring: 'contains, in either case',
  OneOf: 'has as a member',
  DomainMatch: 'has the same domain',
  HostnameMatch: 'has the same host name',
};

function presentField(field: TargetField, encryptable: boolean): TargetDescription['fields'][number] {
  return {
    id: field.id,
    name: field.name,
    type: field.type,
    source_type: field.remoteType,
    required: field.required,
    createable: field.createable,
    updateable: field.updateable,
    filterable: field.filterable,
    supports_identity: field.identityFunctions.length > 0,
    identity_functions: field.identityFunctions.map((id) => ({ id, label: functionLabels[id] })),
    association: false,
    encryptable,
  };
}
