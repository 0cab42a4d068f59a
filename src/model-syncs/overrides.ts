import {
  atTime,
  type Condition,
  checkCondition,
  type FilterField,
  matcher,
  readOperands,
} from '../conditions/index.ts';
import { invalidField } from '../errors.ts';
import type { Json } from '../lib/json.ts';
import { type RecordSource, splitRelatedName } from '../models/index.ts';
import type { ModelOverride, ModelSyncRequest } from '../schema/model-sync.ts';
import { referencedField } from './filters.ts';
import type { Definition } from './model-sync.ts';
import { ownField, type SyncedModels, sourceOf } from './synced-models.ts';

/** What is sent instead of the value of a field that fits the condition. */
export interface Override extends Condition {
  override: Json;
}

/** @throws invalid_field */
export function draftOverrides(
  models: SyncedModels,
  request: Pick<ModelSyncRequest, 'overrides'>,
): Override[] {
  return (request.overrides ?? []).map(({ field, field_id, ...given }, index) => {
    const place = `overrides.${index}`;
    // Here, unlike in filters, `field_id` wins.
    const reference = field_id ? { field_id } : { field };
    const { model, name } = referencedField(models, reference);
    const at = field_id ? `${place}.field_id` : `${place}.field.field`;
    const places = { field: at, function: `${place}.function`, value: `${place}.value` };
    const condition = checkCondition({ ...given, field: name }, model.fields, places);
    // A request body is JSON, so its members are.
    const override = given.override as Json | undefined;
    if (override === undefined)
      throw invalidField(`${place}.override`, 'is needed: what to send, null for nothing');
    const known = model.fields.find((one) => one.name === name);
    if (known !== undefined) overrideText(override, known, `${place}.override`);
    return { ...condition, field: ownField(models, model, name), override };
  });
}

/** Overrides that would have no effect, or another than they say. @throws invalid_field */
export function checkOverrides(definition: Definition): void {
  const { overrides, fields, identity, mode, syncAllRecords } = definition;
  for (const [index, { field, function: name }] of overrides.entries()) {
    const place = `overrides.${index}`;
    const shown = splitRelatedName(field)?.field ?? field;
    if (identity?.field === field) {
      throw invalidField(
        `${place}.field`,
        `${shown} is the identity, by which records are found: it is never replaced`,
      );
    }
    if (!fields.some((one) => one.field === field)) {
      throw invalidField(
        `${place}.field`,
        `${shown} is not among the fields, so there is nothing to replace`,
      );
    }
    const relative = name === 'InTheLast' || name.startsWith('Relative');
    if (relative && mode !== 'replace' && !syncAllRecords) {
      const reason = `${name} counts from the time of the execution: a record may have to be sent though it did not change; set sync_all_records, or compare with a time`;
      throw invalidField(`${place}.function`, reason);
    }
  }
}

export function presentOverrides(modelId: string, overrides: readonly Override[]): ModelOverride[] {
  return overrides.map(({ field, function: name, value, override }) => ({
    field: sourceOf(modelId, field),
    function: name,
    ...(value === null ? {} : { value }),
    override,
  }));
}

/**
 * The records with the values that are to be sent. Which of them have changed is still said by what the source has:
 * what an override makes of a value changes with the value or with the mapping.
 *
 * @param fields of the model. @param now what relative times count from.
 */
export function overriding(
  source: RecordSource,
  overrides: readonly Override[],
  fields: readonly FilterField[],
  now: string,
): RecordSource {
  if (overrides.length === 0) return source;
  const rules = overrides.map(({ override, ...condition }) => {
    const { matches } = matcher(atTime(condition, now), fields);
    const field = fields.find(({ name }) => name === condition.field);
    const text = field === undefined ? null : overrideText(override, field, `override of ${condition.field}`);
    return { field: condition.field, matches, text };
  });
  return {
    ...source,
    async *records(query, keys) {
      // Of those that fit a value the first counts, so it is done last; each looks at what the source has.
      const placed = rules.map((rule) => ({ ...rule, place: query.fields.indexOf(rule.field) })).toReversed();
      for await (const batch of source.records(query, keys)) {
        yield batch.map((record) => {
          const values = [...record.values];
          for (const { place, matches, text } of placed) {
            if (matches([record.values[place] ?? null])) values[place] = text;
          }
          return { ...record, values };
        });
      }
    },
  };
}

/** A value of a request as the text in which values of the field travel. @throws invalid_field */
export function overrideText(value: Json, field: FilterField, place: string): string | null {
  if (value === null) return null;
  const { name, type, remoteType } = field;
  if (type === 'array') throw invalidField(place, `${name} is an array, which can only be replaced by null`);
  if (type === 'object') {
    if (/^jsonb?$/i.test(remoteType)) return JSON.stringify(value);
    throw invalidField(place, `${name} is of type ${remoteType}, which can only be replaced by null`);
  }
  // A text may hold JSON.
  if (typeof value === 'object' && type === 'string') return JSON.stringify(value);
  const [text = ''] = readOperands({ field: name, function: 'Equality', value }, field, place);
  if (type === 'boolean') return text === 'true' ? 't' : 'f';
  if (type !== 'datetime' || /^date$/i.test(remoteType)) return text;
  const [, day = '', time = '00:00:00', zone = ''] = timeParts.exec(String(value).trim()) ?? [];
  const withZone = /with time zone|timestamptz/i.test(remoteType) && zone === '';
  return `${day} ${time}${withZone ? '+00' : zone.replace(/z/i, '+00')}`;
}

const timeParts = /^(\S{10})(?:[T ]([\d:.]+)(.*))?$/i;
