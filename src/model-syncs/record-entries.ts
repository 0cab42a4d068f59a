import type { Field, FieldWarning, ReplacedRow } from '../connectors/index.ts';
import { recordJson } from '../lib/pg-text.ts';
import type { InvalidKey } from './classify.ts';
import { entryMembers, objectText } from './members.ts';
import type { PlannedRecord } from './planned-batch.ts';
import type { Task } from './task.ts';

/**
 * Entries of the record logs, as JSON text. A processed record is an object of target field → value; an error
 * has the identity, the reason, and under `record` what was sent.
 */
export function recordEntry(task: Task, record: Pick<PlannedRecord, 'key' | 'values'>): string {
  return objectText(entryMembers(task), record);
}

/** A row of the target that mode `replace` changed. @param fields of the target. */
export function replacedEntry(task: Task, fields: readonly Field[], { key, values }: ReplacedRow): string {
  const hasIdentity =
    task.target.identity === undefined || fields.some(({ name }) => name === task.identityName);
  if (hasIdentity) return recordJson(fields, values);
  return recordJson(
    [{ name: task.identityName, type: 'string', remoteType: 'text' }, ...fields],
    [key, ...values],
  );
}

export function errorEntry(task: Task, key: string, reason: string, record: string): string {
  return `{"identity":${identity(task, key)},"reason":${JSON.stringify(reason)},"record":${record}}`;
}

/** A value that was stored with less precision than it has. */
export function warningEntry(task: Task, key: string, warning: FieldWarning): string {
  const { field, rule, reason, value } = warning;
  return `{"identity":${identity(task, key)},${JSON.stringify({ field, rule, reason, value }).slice(1)}`;
}

/** A record that was never read in full: its identity is NULL or belongs to several, or a part of it could not be had. */
export function invalidEntry(task: Task, { key, occurrences, problem }: InvalidKey): string {
  const reason =
    key === null
      ? 'the identity is NULL'
      : occurrences > 1
        ? `${occurrences} records of the model have this identity; it must be unique`
        : problem;
  return `{"identity":${identity(task, key)},"reason":${JSON.stringify(reason)}}`;
}

function identity(task: Task, key: string | null): string {
  return `{${JSON.stringify(task.identityName)}:${JSON.stringify(key)}}`;
}
