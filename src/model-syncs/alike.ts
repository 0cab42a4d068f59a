import type { AlikeIdentities, Field, ModelDestination } from '../connectors/index.ts';
import { decodeCopyText } from '../lib/copy-text.ts';
import type { Planning } from './planning.ts';
import { askedKeys } from './read.ts';
import type { Task } from './task.ts';

/** Types whose values have one text each: where those differ, the values do, in any column that keeps them. */
const oneText = /^(u?(tiny|small|medium|big|huge)?int(eger)?[248]?\b|uuid$|date$|boolean$|oid$|serial$)/i;

/** Groups of identities that are written to the metadata database at a time. */
const groupsAtATime = 1_000;
/** Identities that are told of a group. */
const named = 5;

/** Undefined where no two identities can be one to the target, or where it is not looked at. */
export async function alikeFor(
  destination: ModelDestination,
  { query, target }: Task,
  fields: readonly Field[],
): Promise<AlikeIdentities | undefined> {
  const { mode, identity, identityFunction = 'Equality' } = target;
  if (identity === undefined || mode === 'append' || identityFunction !== 'Equality') return undefined;
  const source = fields.find(({ name }) => name === query.identity);
  if (source !== undefined && oneText.test(source.carrier ?? source.remoteType)) return undefined;
  return destination.alike?.(target);
}

/**
 * Two records that the target takes for one would overwrite each other, or each write both rows, and which of them wins
 * would change from run to run. Neither is sent. A writer sees one batch: it takes all identities of the model to find
 * them, which the target compares as it does its own; as long as every identity is known to it there is nothing to find.
 *
 * @param staged a table with record_key, hash and problem.
 */
export async function markAlike(planning: Planning, staged: string): Promise<void> {
  const { session, alike, scope, run } = planning;
  if (alike === undefined) return;
  const { baseline } = scope;
  if (baseline !== undefined) {
    const [row] = await session.query<{ news: boolean }>(
      `select exists (select from ${staged} staged where record_key is not null and problem is null
         and not exists (select from ${baseline.table} b where b.record_key = staged.record_key)) as news`,
    );
    if (row?.news !== true) return;
  }
  const ofModel = `select record_key from ${staged} where record_key is not null`;
  // Of a few records it is not known which others the model has: those that it had.
  const all =
    askedKeys(run) === undefined || baseline === undefined
      ? ofModel
      : `${ofModel} union select record_key from ${baseline.table}`;
  const keys = decodeCopyText(session.copyOut(`copy (${all}) to stdout`));
  const groups: (readonly string[])[] = [];
  for await (const group of alike(eachKey(keys))) {
    groups.push(group);
    if (groups.length === groupsAtATime) await mark(planning, staged, groups.splice(0));
  }
  if (groups.length > 0) await mark(planning, staged, groups);
}

async function* eachKey(rows: AsyncIterable<(string | null)[][]>): AsyncGenerator<string[]> {
  for await (const some of rows) yield some.flatMap(([key]) => key ?? []);
}

async function mark(
  { session }: Planning,
  staged: string,
  groups: readonly (readonly string[])[],
): Promise<void> {
  const reasons = groups.map((group) => {
    const some = group.slice(0, named).map((key) => JSON.stringify(key));
    const all = group.length > named ? `${some.join(', ')}, …` : some.join(', ');
    return `the target takes ${group.length} identities of the model for one: ${all}; it must be one record`;
  });
  const [keys, places] = [groups.flat(), groups.flatMap((group, place) => group.map(() => place + 1))];
  await session.query(
    `update ${staged} staged set problem = ($3::text[])[alike.place]
     from unnest($1::text[], $2::int[]) as alike (record_key, place)
     where staged.record_key = alike.record_key and staged.problem is null`,
    [keys, places, reasons],
  );
}
