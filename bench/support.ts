import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Database, type EmbeddedPostgres, startEmbeddedPostgres } from '../src/db/index.ts';

/** Runs `measure` with a PostgreSQL server of its own, which is thrown away afterwards. */
export async function withServer(measure: (server: EmbeddedPostgres) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  try {
    const server = await startEmbeddedPostgres(folder);
    try {
      await measure(server);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function createOrganizations(db: Database, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => ({ name: crypto.randomUUID() }));
  const rows = await db.insertInto('organizations').values(names).returning('id').execute();
  return rows.map(({ id }) => id);
}

/** Of Node, as processes of executions get them. */
export const workerFlags = ['--max-semi-space-size=8'];

/**
 * A process of this folder and the first thing it says. Where BENCH_PROFILE names a folder, its CPU profile is
 * written there. @param options.flags of Node: `workerFlags` for what workers do.
 */
export async function startChild<First>(
  file: string,
  {
    args = [],
    flags = [],
    environment = {},
  }: { args?: string[]; flags?: string[]; environment?: Record<string, string> } = {},
): Promise<{ child: ChildProcess; first: First }> {
  const profiles = process.env.BENCH_PROFILE;
  const child = fork(path.join(import.meta.dirname, file), args, {
    env: { ...process.env, ...environment },
    execArgv: profiles ? [...flags, '--cpu-prof', `--cpu-prof-dir=${profiles}`] : flags,
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it had said anything`);
  });
  const [first] = (await Promise.race([once(child, 'message'), ended])) as [First];
  return { child, first };
}

/** @param share of the values that are not above the result: 0.5 is the median, 1 the greatest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** One line: the median with the least and the greatest. */
export function print(name: string, values: readonly number[], unit: string, digits = 0): void {
  const [middle, low, high] = [0.5, 0, 1].map((share) => format(quantile(values, share), digits));
  console.log(`${name.padEnd(36)} ${middle} ${unit} (${low}–${high})`);
}

export function format(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Seconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
