import type { TObject, TSchema } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import type { KeyRing } from '../lib/seal.ts';

/** What a secret looks like when it is read. Sent back, it means "unchanged". */
export const mask = '********';

/** A configuration as it is stored: the secrets apart, sealed. */
export interface StoredConfiguration {
  configuration: JsonObject;
  secrets: Buffer | null;
}

/**
 * Takes the properties marked `sensitive` out of a configuration and seals them. Nested ones too: the sealed
 * part has the same shape as the configuration, with only the secrets in it.
 */
export function sealConfiguration(
  schema: TObject,
  configuration: JsonObject,
  keyRing: KeyRing,
): StoredConfiguration {
  const { open, secret } = split(schema, configuration);
  return {
    configuration: open,
    secrets: Object.keys(secret).length === 0 ? null : keyRing.seal(JSON.stringify(secret)),
  };
}

export function openConfiguration(
  { configuration, secrets }: StoredConfiguration,
  keyRing: KeyRing,
): JsonObject {
  return secrets === null
    ? configuration
    : merge(configuration, JSON.parse(keyRing.open(secrets)) as JsonObject);
}

/** The configuration as it may be read: every secret that is set shows the mask. */
export function maskConfiguration(schema: TObject, configuration: JsonObject): JsonObject {
  const { open, secret } = split(schema, configuration);
  return merge(open, masked(secret));
}

/** Where a configuration has a mask instead of a stored secret: the dotted key of the first. */
export function firstMasked(sent: JsonObject, stored: JsonObject): string | undefined {
  for (const [key, value] of Object.entries(sent)) {
    const before = stored[key];
    if (value === mask && before !== undefined) return key;
    const inner = isObject(value) && isObject(before) ? firstMasked(value, before) : undefined;
    if (inner !== undefined) return `${key}.${inner}`;
  }
  return undefined;
}

/** A configuration without its secrets. */
export function withoutSecrets(schema: TObject, configuration: JsonObject): JsonObject {
  return split(schema, configuration).open;
}

/** Puts the stored secrets where the caller sent the mask. */
export function unmaskConfiguration(sent: JsonObject, stored: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(sent)) {
    const before = stored[key];
    if (value === mask) {
      if (before !== undefined) result[key] = before;
    } else if (isObject(value) && isObject(before)) result[key] = unmaskConfiguration(value, before);
    else result[key] = value;
  }
  return result;
}

function split(schema: TSchema, configuration: JsonObject): { open: JsonObject; secret: JsonObject } {
  const properties =
    (schema as { properties?: Record<string, TSchema & { sensitive?: boolean }> }).properties ?? {};
  const open: JsonObject = {};
  const secret: JsonObject = {};
  for (const [key, value] of Object.entries(configuration)) {
    const property = properties[key];
    if (property?.sensitive) {
      // An empty secret is no secret; shown as a mask it would look like one.
      if (value === '' || value === null) open[key] = value;
      else secret[key] = value;
    } else if (property !== undefined && isObject(value)) {
      const inner = split(property, value);
      open[key] = inner.open;
      if (Object.keys(inner.secret).length > 0) secret[key] = inner.secret;
    } else open[key] = value;
  }
  return { open, secret };
}

function masked(secret: JsonObject): JsonObject {
  const entries = Object.entries(secret).map(([key, value]) => [key, isObject(value) ? masked(value) : mask]);
  return Object.fromEntries(entries) as JsonObject;
}

function merge(base: JsonObject, over: JsonObject): JsonObject {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isObject(value) && isObject(below) ? merge(below, value) : value;
  }
  return result;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
