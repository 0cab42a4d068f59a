import type { Json, JsonObject } from '../lib/json.ts';
import { eventPayloads } from '../schema/event-payloads.ts';
import type { EventType } from './catalogue.ts';

/** An event that did not happen, with the shape of one that could: what its schema gives as an example. */
export function sampleEvent(type: EventType): JsonObject {
  const members = Object.entries(eventPayloads[type].properties) as [string, { examples?: Json[] }][];
  return Object.fromEntries(members.map(([name, { examples }]) => [name, examples?.[0] ?? null]));
}
