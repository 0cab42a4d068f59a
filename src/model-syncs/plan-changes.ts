import type { Session } from '../db/index.ts';
import { countRecords, invalidKeys } from './classify.ts';
import { haveGone } from './forget.ts';
import { compare, logInvalid, type Planned, type Planning } from './planning.ts';
import { readRecords } from './read.ts';
import { planStaged, stagedRecords, stageRecords } from './staging.ts';

/** So many changed records are asked for by key; more are found by reading the whole model once more, if that is cheap. */
const byKeyAtMost = 10_000;

/** Keys and hashes first, then the records that have changed. */
export async function planChanges(planning: Planning, plan: number): Promise<Planned> {
  const { db, run, session, source, task } = planning;
  await session.query(`create temporary table wanted (record_key text collate "C", known boolean)`);
  const { classes, invalid } = await compare(planning, 'wanted');
  const changed = classes.inserts + classes.updates;
  const leaves = await haveGone(planning, classes, invalid);
  if (changed === 0) return { records: 0, invalid: countRecords(invalid), leaves };
  if (changed > byKeyAtMost && !source.costly) {
    await stageRecords(session, readRecords(run, source, task.query));
  } else {
    for await (const keys of wantedInParts(session)) {
      await stageRecords(session, readRecords(run, source, task.query, keys));
    }
  }
  // What changed its identity, came twice or went since the keys were read is left to the next execution.
  const found = await planStaged(
    { db, session },
    plan,
    `select record_key, max(hash), max(record)
     from ${stagedRecords} join wanted using (record_key)
     group by record_key having count(*) = 1 and max(problem) is null order by record_key`,
  );
  // What was whole a moment ago need not be now.
  const broken = await invalidKeys(session, `(${stagedRecords} join wanted using (record_key))`);
  const problems = broken.filter(({ key, occurrences }) => key !== null && occurrences === 1);
  await logInvalid(planning, problems);
  const vanished = changed - found - problems.length;
  if (vanished > 0) {
    await run.console(
      'warn',
      `${vanished} records changed their identity or disappeared while they were read`,
    );
  }
  return { records: found, invalid: countRecords(invalid) + problems.length, leaves };
}

async function* wantedInParts(session: Session): AsyncGenerator<string[]> {
  for (let last: string | null | undefined = null; last !== undefined; ) {
    const rows: { record_key: string }[] = await session.query(
      `select record_key from wanted where $1::text is null or record_key > $1
       order by record_key limit ${byKeyAtMost}`,
      [last],
    );
    last = rows.at(-1)?.record_key;
    if (rows.length > 0) yield rows.map(({ record_key }) => record_key);
  }
}
