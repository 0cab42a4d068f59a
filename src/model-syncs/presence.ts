import { BatchRefused, type ModelDestination } from '../connectors/index.ts';
import type { Task } from './task.ts';

/** Counts the identities that the target has, by an update of nothing: what would have been updated is there. */
export async function presence(
  destination: ModelDestination,
  { target }: Task,
): Promise<{ batchSize: number; count(keys: readonly string[]): Promise<number> }> {
  const { filter: _, ...definition } = target;
  const writer = await destination.writer({ ...definition, mode: 'update', fields: [] });
  const count = async (keys: readonly string[]): Promise<number> => {
    const records = keys.map((key) => ({ key, hash: '0', values: [] }));
    try {
      const results = await writer.write(records, async () => {});
      return results.filter(({ status }) => status === 'updated').length;
    } catch (error) {
      if (!(error instanceof BatchRefused)) throw error;
      // What cannot be an identity of the target is none.
      if (keys.length === 1) return 0;
      const half = keys.length >> 1;
      return (await count(keys.slice(0, half))) + (await count(keys.slice(half)));
    }
  };
  return { batchSize: writer.batchSize, count };
}
