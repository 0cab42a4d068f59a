import { jsonText, type TextType } from '../lib/pg-text.ts';
import type { PlannedRecord } from './planned-batch.ts';
import { type Task, valueAt } from './task.ts';

/** A member of the JSON objects that records become. */
export interface Member {
  name: string;
  type: TextType;
  /** Of its value, or a text that all have; undefined: it is the key. */
  place: number | string | undefined;
}

/** Of what the record logs say of a record. */
export function entryMembers(task: Task): Member[] {
  const members = namedMembers(task, task.names);
  if (task.target.identity === undefined || task.names.includes(task.identityName)) return members;
  const key = { name: task.identityName, type: { type: 'string', remoteType: 'text' }, place: undefined };
  return [key, ...members];
}

/** Of the target's fields alone. @param names in their order. */
export function namedMembers({ target, places }: Task, names: readonly string[]): Member[] {
  return target.fields.map(({ source }, index) => ({
    name: names[index] ?? '',
    type: source,
    place: places[index] ?? 0,
  }));
}

export function objectText(
  members: readonly Member[],
  { key, values }: Pick<PlannedRecord, 'key' | 'values'>,
): string {
  const texts = members.map(({ name, type, place }) => {
    const value = place === undefined ? key : valueAt(values, place);
    return `${JSON.stringify(name)}:${jsonText(value, type)}`;
  });
  return `{${texts.join(',')}}`;
}
