import type { TSchema } from 'typebox';
import type { Connector } from '../connectors/index.ts';
import { unprocessable } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../lib/json.ts';
import { movedBy } from './address.ts';
import { holdsSecrets, isSecret, itemsOf, mask, propertiesOf } from './secrets.ts';

/**
 * What a changed configuration means for the stored secrets. A client that read the configuration sends masks back; one
 * that keeps the secrets elsewhere leaves the unchanged ones out. Both mean "unchanged", at every depth: of a key, of a
 * list or of an object that holds secrets. null, or an empty text, list or object, removes.
 *
 * Whoever may edit a connection may not see its secrets, so a kept secret is not sent to a server of their choice either.
 *
 * @throws unprocessable when a secret would be kept for another server, or a mask stands for none.
 */
export function keepSecrets(connector: Connector, sent: JsonObject, stored: JsonObject): JsonObject {
  const kept: string[] = [];
  const configuration = keepIn(connector.configuration, sent, stored, 'configuration', kept);
  const [first] = kept;
  const moved = first === undefined ? undefined : movedBy(connector, stored, configuration);
  if (first === undefined || moved === undefined) return configuration;
  const reason = `send the secret again: ${moved} leads to another server than it was stored for`;
  throw unprocessable(first, reason);
}

/**
 * Places of secrets of which a configuration says nothing, so that they would be kept: neither a value nor that there is
 * none. Of stored secrets that cannot be read nobody knows which there were.
 */
export function unsaidSecrets(schema: TSchema, sent: JsonObject, at: string): string[] {
  const said = Object.keys(sent).some((key) => !isNothing(sent[key]));
  return Object.entries(propertiesOf(schema)).flatMap(([key, property]) => {
    if (!holdsSecrets(property)) return [];
    const [now, place] = [sent[key], `${at}.${key}`];
    if (now === mask || (now === undefined && !(isAlternatives(schema) && said))) return [place];
    if (isJsonObject(now)) return isNothing(now) ? [] : unsaidSecrets(property, now, place);
    if (!Array.isArray(now)) return [];
    return now.flatMap((item, index) =>
      isJsonObject(item) ? unsaidSecrets(itemsOf(property), item, `${place}.${index}`) : [],
    );
  });
}

function keepIn(
  schema: TSchema,
  sent: JsonObject,
  stored: JsonObject,
  at: string,
  kept: string[],
): JsonObject {
  const result: JsonObject = { ...sent };
  const another = isAlternatives(schema) ? Object.keys(sent).find((key) => !isNothing(sent[key])) : undefined;
  for (const [key, property] of Object.entries(propertiesOf(schema))) {
    if (!holdsSecrets(property)) continue;
    const path = `${at}.${key}`;
    const [now, before] = [sent[key], stored[key]];
    if (now === null) delete result[key];
    else if (now === undefined || now === mask) {
      delete result[key];
      if (before === undefined || !isSecret(property, before)) continue;
      if (now === undefined && another !== undefined) continue;
      result[key] = before;
      kept.push(path);
    } else if (isJsonObject(now)) {
      result[key] = keepIn(property, now, isJsonObject(before) ? before : {}, path, kept);
    } else if (Array.isArray(now)) {
      result[key] = keepInList(itemsOf(property), now, Array.isArray(before) ? before : [], path, kept);
    }
  }
  return result;
}

/** An item is the stored one whose open members are equal: lists are sorted, shortened and added to. */
function keepInList(items: TSchema, sent: Json[], stored: Json[], at: string, kept: string[]): Json[] {
  const left = Map.groupBy(stored.filter(isJsonObject), (before) =>
    JSON.stringify(open(items, before), sorted),
  );
  return sent.map((item, index) => {
    if (!isJsonObject(item)) return item;
    const before = left.get(JSON.stringify(open(items, item), sorted))?.shift() ?? {};
    for (const key of Object.keys(propertiesOf(items))) {
      if (item[key] !== mask || before[key] !== undefined) continue;
      throw unprocessable(`${at}.${index}.${key}`, 'send the secret again: no item of this name is stored');
    }
    return keepIn(items, item, before, `${at}.${index}`, kept);
  });
}

/** Members in another order are the same. */
function sorted(_key: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function open(items: TSchema, item: JsonObject): JsonObject {
  const secret = Object.entries(propertiesOf(items)).filter(([, property]) => holdsSecrets(property));
  const { ...rest } = item;
  for (const [key] of secret) delete rest[key];
  return rest;
}

/** Of its members one is meant: another one that is sent replaces the one that is left out. */
function isAlternatives(schema: TSchema): boolean {
  return (schema as { alternatives?: boolean }).alternatives === true;
}

/** Clients of typed languages send every member, those that are not set as their zero values. */
function isNothing(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.values(value).every(isNothing);
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}
