import { recordJson, type TextType } from '../lib/pg-text.ts';
import type { PlannedRecord } from './planned-batch.ts';
import { type Task, valueAt } from './task.ts';

/** A member of the JSON objects that records become. */
export interface Member extends TextType {
  name: string;
  /** Of its value, or a text that all have; undefined: it is the key. */
  place: number | string | undefined;
}

/** Of what the record logs say of a record. */
export function entryMembers(task: Task): Member[] {
  const members = namedMembers(task, task.names);
  if (task.target.identity === undefined || task.names.includes(task.identityName)) return members;
  return [{ name: task.identityName, type: 'string', remoteType: 'text', place: undefined }, ...members];
}

/** Of the target's fields alone. @param names in their order. */
export function namedMembers({ target, places }: Task, names: readonly string[]): Member[] {
  return target.fields.map(({ source: { type, remoteType } }, index) => ({
    name: names[index] ?? '',
    type,
    remoteType,
    place: places[index] ?? 0,
  }));
}

export function objectText(
  members: readonly Member[],
  { key, values }: Pick<PlannedRecord, 'key' | 'values'>,
): string {
  return recordJson(
    members,
    members.map(({ place }) => (place === undefined ? key : valueAt(values, place))),
  );
}
