import type { JsonObject } from '../lib/json.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { MappedField } from './model-sync.ts';

type RequestField = ModelSyncRequest['fields'][number];

/**
 * How a request said what the definition holds in one form: a default may be sent or left out, a filter may be named by
 * label or by number. Clients that compare an answer with what they sent, as Terraform does, take any other wording
 * for a change. No execution reads it.
 */
export interface Wording {
  /** As many as the definition has, in the same order. */
  fields: Pick<RequestField, 'source' | 'new' | 'sync_mode' | 'encryption_enabled'>[];
  sendsLogic: boolean;
  sendsTargetLogic: boolean;
  target: { new_name?: string; create?: JsonObject };
  new_field?: boolean;
  skip_initial_backfill?: boolean;
}

export function wordingOf(request: ModelSyncRequest): Wording {
  const { target, identity, skip_initial_backfill } = request;
  return given({
    fields: [...request.fields, ...(request.override_fields ?? [])].map((field) =>
      given({
        // That of a field is answered as it was understood; that of a constant has no other meaning than to be there.
        source: field.override_value == null ? undefined : field.source,
        new: field.new,
        sync_mode: field.sync_mode,
        encryption_enabled: field.encryption_enabled,
      }),
    ),
    sendsLogic: typeof request.filter_logic === 'string',
    sendsTargetLogic: typeof target.filter_logic === 'string',
    target: given({
      new_name: target.new_name,
      // A request body is JSON, so its members are.
      create: target.create as JsonObject | null | undefined,
    }),
    new_field: identity?.new_field,
    skip_initial_backfill,
  });
}

/** What clients expect of a constant. */
const noSource = { model_id: '00000000-0000-0000-0000-000000000000', field: '' };

/**
 * A field with the members that were sent for it.
 *
 * @param source what the definition makes of the field; undefined for a constant.
 */
export function presentField(
  { target, constant, createOnly, encrypted }: MappedField,
  source: { model_id: string; field: string } | undefined,
  sent: Wording['fields'][number] | undefined,
) {
  // Syncs that were stored before there was a wording say what is no default.
  const defaults: Wording['fields'][number] = {
    ...(createOnly ? { sync_mode: 'create' } : {}),
    ...(encrypted ? { encryption_enabled: true } : {}),
  };
  const { source: sentSource, ...members } = sent ?? defaults;
  return given({ ...members, source: source ?? sentSource ?? noSource, target, override_value: constant });
}

type Given<T> = { [K in keyof T]: Exclude<T[K], null | undefined> } & {};

/** Without the members that are not set. */
function given<T extends object>(members: T): Given<T> {
  const set = Object.entries(members).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(set) as Given<T>;
}
