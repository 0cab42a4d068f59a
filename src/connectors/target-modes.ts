import type { ModelSyncMode, TargetObject } from './contract.ts';

/** What the connection's user may do with a table: all of its columns, or some. */
export interface Rights {
  selects: boolean;
  inserts: boolean;
  updates: boolean;
  deletes: boolean;
}

const needed: Record<ModelSyncMode, (keyof Rights)[]> = {
  create: ['inserts', 'selects'],
  update: ['updates', 'selects'],
  updateOrCreate: ['inserts', 'updates', 'selects'],
  append: ['inserts'],
  replace: ['inserts', 'updates', 'deletes', 'selects'],
  remove: ['deletes', 'selects'],
};

const modes = Object.keys(needed) as ModelSyncMode[];

const names: Record<keyof Rights, string> = {
  selects: 'SELECT',
  inserts: 'INSERT',
  updates: 'UPDATE',
  deletes: 'DELETE',
};

/**
 * A mode is offered where the connection's user may do what it takes.
 *
 * @param never modes that the table does not have whatever the rights, and why.
 */
export function offered(
  id: string,
  rights: Rights,
  never: Partial<Record<ModelSyncMode, string>> = {},
): TargetObject {
  const lacking: TargetObject['lacking'] = { ...never };
  for (const mode of modes) {
    const missing = needed[mode].filter((right) => !rights[right]).map((right) => names[right]);
    if (missing.length > 0) lacking[mode] ??= `the connection's user has no ${missing.join(', ')} on it`;
  }
  return { id, name: id, modes: modes.filter((mode) => lacking[mode] === undefined), lacking };
}

/** What is there and takes no records. */
export function notOffered(id: string, reason: string): TargetObject {
  return { id, name: id, modes: [], lacking: Object.fromEntries(modes.map((mode) => [mode, reason])) };
}
