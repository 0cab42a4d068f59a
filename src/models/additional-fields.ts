import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import { jsonAt, parseJsonPath } from '../lib/json-path.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { AdditionalFieldRequest } from '../schema/model.ts';
import { type Computed, withComputedFields } from './computed-fields.ts';
import { jsonAsText } from './json-as-text.ts';
import type { Layer } from './layer.ts';

/** A field that a user declared: a place in the JSON of another one. */
export interface AdditionalField {
  name: string;
  label: string;
  type: FieldType;
  example: string | null;
  /** The field that it is in, and where. */
  source: string;
  path: string[];
}

/** How values of a type travel. */
const remoteTypes: Partial<Record<FieldType, string>> = {
  string: 'text',
  number: 'numeric',
  boolean: 'boolean',
  datetime: 'timestamp with time zone',
  array: 'json',
  object: 'json',
};

/** @param found fields of the source. @throws invalid_field */
export function draftAdditionalFields(
  requested: readonly AdditionalFieldRequest[],
  found: readonly Field[],
): AdditionalField[] {
  return requested.map(({ name, label, type, example }, index) => {
    const wrong = (member: string, reason: string) =>
      new TidemarkError('invalid_field', { field: `additional_fields.${index}.${member}`, reason });
    if (!isCarried(type)) {
      throw wrong('type', `${JSON.stringify(type)} is none of ${Object.keys(remoteTypes).join(', ')}`);
    }
    const earlier = requested.findIndex((one) => one.name === name);
    if (found.some((field) => field.name === name) || earlier < index) {
      throw wrong('name', `there is a field ${JSON.stringify(name)} already`);
    }
    // A name may be the beginning of another one: the longest is meant.
    const [source] = found
      .filter((field) => /^[.[]/.test(name.slice(field.name.length)) && name.startsWith(field.name))
      .sort((one, other) => other.name.length - one.name.length);
    if (source === undefined) {
      const known = found.map((field) => field.name).join(', ');
      throw wrong('name', `${JSON.stringify(name)} begins with no field of this model, which has ${known}`);
    }
    const path = parseJsonPath(name.slice(source.name.length));
    if (path === undefined) {
      throw wrong(
        'name',
        `${JSON.stringify(name)} is no path; write metadata.key, items[0].id or metadata["any key"]`,
      );
    }
    return { name, label, type, example: example ?? null, source: source.name, path };
  });
}

function isCarried(type: string): type is FieldType {
  return Object.hasOwn(remoteTypes, type);
}

export function fieldOf({ name, type }: AdditionalField): Field {
  return { name, type, remoteType: remoteTypes[type] ?? 'text', nullable: true };
}

/** Takes declared fields out of the JSON that they are in. */
export const additionalFieldsLayer: Layer = async ({ model, wanted }, below) => {
  const declared = model.additionalFields ?? [];
  const asked = declared.filter(({ name }) => wanted?.includes(name) ?? true);
  if (asked.length === 0) return below(wanted);
  const inputs = [...new Set(asked.map(({ source }) => source))];
  const others = wanted?.filter((name) => !declared.some((field) => field.name === name));
  return withComputedFields(await below(others && [...new Set([...others, ...inputs])]), {
    fields: asked.map(fieldOf),
    inputs,
    compute: (records) => records.map((documents) => extract(asked, inputs, documents)),
  });
};

function extract(
  fields: readonly AdditionalField[],
  inputs: readonly string[],
  documents: readonly (string | null)[],
): Computed {
  const broken = inputs.find((_, index) => !isJson(documents[index] ?? null));
  if (broken !== undefined) {
    return {
      values: fields.map(() => null),
      problem: `${broken} is not valid JSON, so it has no fields in it`,
    };
  }
  const values = fields.map(({ source, path, type }) => {
    const found = jsonAt(documents[inputs.indexOf(source)] ?? 'null', path);
    return found === undefined ? null : jsonAsText(found, type);
  });
  return { values };
}

function isJson(text: string | null): boolean {
  if (text === null) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
