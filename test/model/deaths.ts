import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { vi } from 'vitest';
import type { Run } from '../../src/executions/index.ts';
import type { ModelSyncs } from '../support/model-syncs.ts';

/** While `use` runs, every connection breaks at the nth statement, and whatever is made afterwards: as `kill -9` would. */
export async function dyingAt<Result>(nth: number, use: () => Promise<Result>): Promise<Result> {
  const sockets = new Set<Socket>();
  const { query } = pg.Client.prototype;
  let statements = 0;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client,
    ...sent: unknown[]
  ) {
    const { connection } = this as unknown as { connection: { stream: Socket } };
    sockets.add(connection.stream);
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
  }
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
