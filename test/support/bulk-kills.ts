import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { BulkHarness } from './bulk-syncs.ts';
import { type BulkWorker, bulkWorker } from './bulk-worker.ts';

export interface Kills {
  kills: number;
  /** Grows with every range that the destination has stored; asked while a worker stores. */
  seen(): Promise<number>;
  /** How much more of it a worker is given before the `kill`th kill: nothing, or some of its work. */
  more?: (kill: number) => number;
  /** What is stored for good, asked after each kill. */
  stored?: () => Promise<number>;
}

/**
 * Gives an execution to one worker after the other, kills each once it has done some work, and lets the last one
 * finish.
 *
 * @returns what was stored at each kill; shorter than asked for when a worker has finished.
 */
export async function killAgainAndAgain(
  harness: BulkHarness,
  executionId: string,
  { kills, seen, more = (kill) => [2, 0, 1][kill % 3] ?? 0, stored = seen }: Kills,
): Promise<number[]> {
  const progress: number[] = [];
  let next: BulkWorker | undefined = bulkWorker(harness);
  for (let kill = 0; next !== undefined; kill++) {
    const child: ChildProcess = await next.begin(executionId);
    next = kill + 1 < kills ? bulkWorker(harness) : undefined;
    if (!(await killAfter(child, seen, more(kill)))) break;
    const now = await stored();
    // Killed between the commit, which removes what is noted of ranges, and the note that the table is done.
    if (now === 0 && (progress.at(-1) ?? 0) > (await rangesOf(harness, executionId)) / 2) break;
    progress.push(now);
  }
  await next?.end();
  // It goes on, instead of beginning anew.
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(progress.at(-1)).toBeGreaterThan(0);
  return progress;
}

async function rangesOf({ db }: BulkHarness, executionId: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select sum(jsonb_array_length(plan->'ranges'))::int as n from bulk_schema_executions
    where execution_id = ${executionId}::uuid
  `.execute(db);
  return rows[0]?.n ?? 0;
}

/** Kills a process once there is that much more than when it began, or it is done. @returns whether it was killed */
async function killAfter(child: ChildProcess, seen: () => Promise<number>, more: number): Promise<boolean> {
  let over = false;
  child.once('exit', () => {
    over = true;
  });
  const before = await seen();
  await expect.poll(async () => over || (await seen()) >= before + more, { interval: 3 }).toBe(true);
  // Somewhere within what comes next.
  await pause(Math.random() * 30);
  if (over) return false;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return true;
}
