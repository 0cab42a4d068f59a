import { listFolder } from './file-lists.ts';
import type { Contents, ModelTable } from './model-table.ts';
import { removeBelow } from './tidy.ts';

/**
 * Removes what workers have left that were killed before they committed it. Where there are lists only the folder is looked
 * at that files are added to: those of the files in lists are not, however many there are.
 */
export async function tidyTable(
  { store, folder }: ModelTable,
  { files, lists = [] }: Contents,
): Promise<void> {
  const named = (parts: readonly { path: string }[]) => new Set(parts.map(({ path }) => `${folder}${path}`));
  await removeBelow(store, folder, lists.length === 0 ? 'data/' : `data/${lists.length}/`, named(files));
  await removeBelow(store, folder, listFolder, named(lists));
}
