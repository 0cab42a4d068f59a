import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import { isJson, parseJsonPath } from '../lib/json-path.ts';
import { isCarriedAsJson, jsonText } from '../lib/pg-text.ts';
import type { AdditionalFieldRequest } from '../schema/model.ts';
import { type Computed, withComputedFields } from './computed-fields.ts';
import { type DeclaredField, declaredFieldOf, declaredType } from './declared-field.ts';
import { valueAt } from './json-as-text.ts';
import type { Layer } from './layer.ts';

/** A place in the JSON of another field. */
export interface AdditionalField extends DeclaredField {
  /** The field that it is in. */
  source: string;
}

/** @param found fields of the source. @throws invalid_field */
export function draftAdditionalFields(
  requested: readonly AdditionalFieldRequest[],
  found: readonly Field[],
): AdditionalField[] {
  const known = new Set(found.map((field) => field.name));
  const taken = new Set(known);
  return requested.map(({ name, label, type, example }, index) => {
    const wrong = (member: string, reason: string) =>
      new TidemarkError('invalid_field', { field: `additional_fields.${index}.${member}`, reason });
    if (taken.has(name)) {
      throw wrong('name', `there is a field ${JSON.stringify(name)} already`);
    }
    taken.add(name);
    const source = beginningOf(name, known);
    if (source === undefined) {
      const has = [...known].join(', ');
      throw wrong('name', `${JSON.stringify(name)} begins with no field of this model, which has ${has}`);
    }
    const path = parseJsonPath(name.slice(source.length));
    if (path === undefined) {
      throw wrong(
        'name',
        `${JSON.stringify(name)} is no path; write metadata.key, items[0].id or metadata["any key"]`,
      );
    }
    const declared = { name, label, type: declaredType(type, `additional_fields.${index}.type`) };
    return { ...declared, example: example ?? null, source, path };
  });
}

/** The field that a path begins with. A name may be the beginning of another one: the longest is meant. */
function beginningOf(path: string, known: ReadonlySet<string>): string | undefined {
  for (let end = path.length - 1; end > 0; end--) {
    if (!'.['.includes(path.charAt(end))) continue;
    const name = path.slice(0, end);
    if (known.has(name)) return name;
  }
  return undefined;
}

/** Takes declared fields out of the JSON that they are in. */
export const additionalFieldsLayer: Layer = async ({ model, wanted }, below) => {
  const declared = model.additionalFields ?? [];
  const asked = declared.filter(({ name }) => wanted?.includes(name) ?? true);
  if (asked.length === 0) return below(wanted);
  const inputs = [...new Set(asked.map(({ source }) => source))];
  const others = wanted?.filter((name) => !declared.some((field) => field.name === name));
  const source = await below(others && [...new Set([...others, ...inputs])]);
  const known = await source.fields();
  const documents = inputs.map((name) => documentOf(known.find((field) => field.name === name)));
  const places = asked.map((field) => inputs.indexOf(field.source));
  return withComputedFields(source, {
    fields: asked.map(declaredFieldOf),
    inputs,
    compute: (records) =>
      records.map((texts): Computed => {
        const values = texts.map((text, index) => (text === null ? 'null' : documents[index]?.(text)));
        const broken = values.indexOf(undefined);
        if (broken >= 0) {
          const problem = `${inputs[broken]} is not valid JSON, so it has no fields in it`;
          return { values: asked.map(() => null), problem };
        }
        return {
          values: asked.map(({ path, type }, index) =>
            valueAt(values[places[index] ?? 0] ?? 'null', path, type),
          ),
        };
      }),
  });
};

/** How the text of a field becomes JSON; what does not gives undefined. */
function documentOf(field: Field | undefined): (text: string) => string | undefined {
  if (field?.type === 'array') return (text) => jsonText(text, field);
  if (field !== undefined && isCarriedAsJson(field)) return (text) => text;
  return (text) => (isJson(text) ? text : undefined);
}
