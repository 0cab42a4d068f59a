import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { vi } from 'vitest';
import type { Run } from '../../src/executions/index.ts';
import type { ModelSyncs } from '../support/model-syncs.ts';
import { until } from '../support/until.ts';

/**
 * While `use` runs, every connection breaks at the nth statement, and whatever is made afterwards: as `kill -9` would. When
 * it returns the server has noticed: whoever takes over asks it a few times within milliseconds, not minutes.
 */
export async function dyingAt<Result>(
  { target }: Pick<ModelSyncs, 'target'>,
  nth: number,
  use: () => Promise<Result>,
): Promise<Result> {
  const sockets = new Set<Socket>();
  const pids = new Set<number>();
  const { query } = pg.Client.prototype;
  let statements = 0;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...sent: unknown[]
  ) {
    const { connection } = this as unknown as { connection: { stream: Socket } };
    sockets.add(connection.stream);
    pids.add((this as unknown as { processID: number }).processID);
    if (++statements >= nth) for (const socket of sockets) socket.destroy();
    return Reflect.apply(query, this, sent);
  });
  try {
    return await use();
  } finally {
    spy.mockRestore();
    const destroyed = [...sockets].filter((socket) => socket.destroyed);
    await Promise.all(destroyed.map((socket) => socket.closed || once(socket, 'close')));
    await setImmediate();
    if (destroyed.length > 0) await until(() => areGone(target, [...pids]));
  }
}

async function areGone({ query }: ModelSyncs['target'], pids: readonly number[]): Promise<boolean> {
  const busy = await query(
    `select from pg_stat_activity where pid = any ($1) and pid <> pg_backend_pid() and state <> 'idle'`,
    [pids],
  );
  return busy.length === 0;
}

export function atCommit(nth: number, happens: () => Promise<void>): (run: Run) => Run {
  let commits = 0;
  return (run) => ({
    ...run,
    async commit(progress, work) {
      if (++commits === nth) await happens();
      await run.commit(progress, work);
    },
  });
}

export async function kill(): Promise<void> {
  throw new Error('killed');
}

export const cancel = (world: ModelSyncs, id: string) => async () =>
  void (await world.db.updateTable('executions').set({ status: 'canceling' }).where('id', '=', id).execute());

export async function give(world: ModelSyncs, id: string, status: 'failed' | 'canceled'): Promise<void> {
  await world.db
    .updateTable('executions')
    .set({ status, completed_at: new Date().toISOString() })
    .where('id', '=', id)
    .execute();
}
