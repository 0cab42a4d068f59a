import type { Prepared } from './contract.ts';

/** `ModelWriter.tryEmpty` of a writer that prepares its batches: it is ended before the commit. */
export async function tryEmpty(write: (prepared: Prepared) => Promise<unknown>): Promise<void> {
  const applied = new Error('a batch without records is not kept');
  try {
    await write(async () => {
      throw applied;
    });
  } catch (error) {
    if (error !== applied) throw error;
  }
}
