import type { TObject, TSchema } from 'typebox';
import { isJsonObject, type Json, type JsonObject } from '../lib/json.ts';
import { type KeyRing, SealUnreadable } from '../lib/seal.ts';

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

/** The configuration, or as much of it as can be read and why the secrets cannot. */
export function readConfiguration(
  stored: StoredConfiguration,
  keyRing: KeyRing,
): { configuration: JsonObject; unreadable?: string } {
  try {
    return { configuration: openConfiguration(stored, keyRing) };
  } catch (error) {
    if (!(error instanceof SealUnreadable)) throw error;
    return { configuration: stored.configuration, unreadable: error.message };
  }
}

/** The configuration as it may be read: every secret that is set shows the mask, in lists one by one. */
export function maskConfiguration(schema: TSchema, configuration: JsonObject): JsonObject {
  const result = { ...configuration };
  for (const [key, property] of Object.entries(propertiesOf(schema))) {
    const value = result[key];
    if (value === undefined) continue;
    if (isJsonObject(value)) result[key] = maskConfiguration(property, value);
    else if (Array.isArray(value)) {
      const items = itemsOf(property);
      result[key] = value.map((item) => (isJsonObject(item) ? maskConfiguration(items, item) : item));
    } else if (isSensitive(property) && value !== null && value !== '') result[key] = mask;
  }
  return result;
}

/** A configuration without its secrets. */
export function withoutSecrets(schema: TObject, configuration: JsonObject): JsonObject {
  return split(schema, configuration).open;
}

/** Whether a value holds a secret that is set. */
export function isSecret(schema: TSchema, value: Json): boolean {
  if (isJsonObject(value)) {
    return Object.entries(propertiesOf(schema)).some(([key, inner]) => isSecret(inner, value[key] ?? null));
  }
  if (Array.isArray(value)) return value.some((item) => isSecret(itemsOf(schema), item));
  return isSensitive(schema) && value !== null && value !== '';
}

/** Where a mask stands for a secret. In a configuration of which nothing is stored it stands for none. */
export function maskedIn(schema: TSchema, value: Json | undefined, at: string): string | undefined {
  if (value === mask) return isSensitive(schema) ? at : undefined;
  const inner: [string, TSchema, Json | undefined][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), itemsOf(schema), item])
    : isJsonObject(value)
      ? Object.entries(propertiesOf(schema)).map(([key, property]) => [key, property, value[key]])
      : [];
  for (const [key, within, one] of inner) {
    const found = maskedIn(within, one, `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function propertiesOf(schema: TSchema): Record<string, TSchema> {
  return (schema as { properties?: Record<string, TSchema> }).properties ?? {};
}

export function itemsOf(schema: TSchema): TSchema {
  return (schema as { items?: TSchema }).items ?? {};
}

/** Whether a schema has a place for secrets, at any depth. */
export function holdsSecrets(schema: TSchema): boolean {
  if (isSensitive(schema)) return true;
  return [
    ...Object.values(propertiesOf(schema)),
    ...Object.values({ items: (schema as { items?: TSchema }).items }),
  ]
    .filter((inner) => inner !== undefined)
    .some(holdsSecrets);
}

function isSensitive(schema: TSchema): boolean {
  return (schema as { sensitive?: boolean }).sensitive === true;
}

/** A list with a secret in it is sealed whole: what belongs to an item stays together. */
function split(schema: TSchema, configuration: JsonObject): { open: JsonObject; secret: JsonObject } {
  const properties = propertiesOf(schema);
  const open: JsonObject = {};
  const secret: JsonObject = {};
  for (const [key, value] of Object.entries(configuration)) {
    const property = properties[key];
    if (property === undefined || !holdsSecrets(property)) open[key] = value;
    else if (isJsonObject(value)) {
      const inner = split(property, value);
      open[key] = inner.open;
      if (Object.keys(inner.secret).length > 0) secret[key] = inner.secret;
      // An empty secret is no secret; shown as a mask it would look like one.
    } else if (isSecret(property, value)) secret[key] = value;
    else open[key] = value;
  }
  return { open, secret };
}

function merge(base: JsonObject, over: JsonObject): JsonObject {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isJsonObject(value) && isJsonObject(below) ? merge(below, value) : value;
  }
  return result;
}
