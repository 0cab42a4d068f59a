import { setTimeout as pause } from 'node:timers/promises';
import { millisecondsOf } from '../../lib/timestamp.ts';
import type { Client } from '../client.ts';
import type { Screen } from './screen.ts';

export interface Counts {
  total: number;
  insert: number;
  update: number;
  upserts: number;
  error: number;
}

interface ModelExecution {
  id: string;
  status: string;
  counts: Counts;
  completed_at: string | null;
  started_at: string | null;
}

interface BulkExecution {
  id: string;
  status: string;
  record_count: number;
  completed_at: string | null;
  started_at: string | null;
  schemas: { schema: string; record_count: number; status: string }[];
}

/** Milliseconds between two looks at a running execution. */
const interval = 150;

/** Runs a model sync to its end, with its progress. */
export async function runModelSync(
  { client, screen }: { client: Client; screen: Screen },
  syncId: string,
  label: string,
): Promise<ModelExecution> {
  const { id } = await client.post<{ id: string }>(`/api/syncs/${syncId}/executions`, {});
  for (;;) {
    const execution = await client.get<ModelExecution>(`/api/syncs/${syncId}/executions/${id}`);
    const { total, insert, update, upserts, error } = execution.counts;
    const done = insert + update + upserts + error;
    if (execution.completed_at !== null) {
      const parts = { inserted: insert, updated: update, upserted: upserts, refused: error };
      const shown = Object.entries(parts).flatMap(([name, count]) =>
        count > 0 ? [`${number(count)} ${name}`] : [],
      );
      const counts = shown.length === 0 ? 'nothing changed' : shown.join(', ');
      screen.done(label, `${counts} of ${number(total)}, ${rate(total, execution)}`);
      return execution;
    }
    screen.progress(label, done, total);
    await pause(interval);
  }
}

/** Runs a bulk sync to its end, with its progress. */
export async function runBulkSync(
  { client, screen }: { client: Client; screen: Screen },
  syncId: string,
  label: string,
  expected: number,
): Promise<BulkExecution> {
  const { id } = await client.post<{ id: string }>(`/api/bulk/syncs/${syncId}/executions`, {});
  for (;;) {
    const execution = await client.get<BulkExecution>(`/api/bulk/syncs/${syncId}/executions/${id}`);
    if (execution.completed_at !== null) {
      const tables = `${number(execution.record_count)} rows in ${execution.schemas.length} tables`;
      screen.done(label, `${tables}, ${rate(execution.record_count, execution)}`);
      return execution;
    }
    screen.progress(label, execution.record_count, expected);
    await pause(interval);
  }
}

export const number = (value: number) => value.toLocaleString('en');

function rate(rows: number, run: { started_at: string | null; completed_at: string | null }): string {
  const seconds = (millisecondsOf(run.completed_at ?? '') - millisecondsOf(run.started_at ?? '')) / 1000;
  return `${seconds.toFixed(1)} s (${number(Math.round(rows / Math.max(seconds, 0.001)))} rows/s)`;
}
