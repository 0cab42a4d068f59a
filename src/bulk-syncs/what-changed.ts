import type { BulkSource, BulkTable, TableFacts } from '../connectors/index.ts';
import type { Position } from './position.ts';

type Before = Partial<Pick<Position, 'columns' | 'facts' | 'newest'>>;

/** In words, how columns changed such that rows may look otherwise now although nothing moved their tracking field. */
export function columnsChanged({ columns: before }: Before, { columns }: BulkTable): string | undefined {
  if (before === undefined || Array.isArray(before)) {
    return 'its position is that of an earlier version of Tidemark, which kept no types';
  }
  const there = columns.flatMap((column) => {
    const was = before[column.name];
    return was === undefined ? [] : [{ ...column, was }];
  });
  const added = columns.filter(({ name }) => before[name] === undefined).map(({ name }) => name);
  const retyped = there
    .filter(({ type, was }) => type !== was.type)
    .map(({ name, type, was }) => `${name} (${was.type} to ${type})`);
  const renamed = there
    .filter(({ outputName, was }) => outputName !== was.outputName)
    .map(({ name, outputName, was }) => `${name} (${was.outputName} to ${outputName})`);
  return (
    // A new column may have been filled in rows whose tracking field did not move.
    named('added', added) ??
    named('given another type', retyped) ??
    named('given another name in the destination', renamed)
  );
}

function named(what: string, names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `fields were ${what}: ${names.join(', ')}`;
}

const changes: Record<Exclude<keyof TableFacts, 'parts'>, string> = {
  server: 'it is on another server or in another database than before',
  table: 'it is another table than before, or was recreated',
  storage: 'it was truncated, loaded again or rewritten as a whole',
  definition: 'its definition changed',
};

/** In words, why rows below the position may not be those that were read. */
export async function tableChanged(
  source: BulkSource,
  { facts: before = {}, columns = {}, newest = [] }: Before,
  table: BulkTable,
  field: string,
  value: string,
): Promise<string | undefined> {
  const { facts = {} } = table;
  for (const [fact, words] of Object.entries(changes) as [keyof typeof changes, string][]) {
    if (before[fact] !== facts[fact]) return words;
  }
  const remade = table.columns.filter(({ name, version }) => version !== columns[name]?.version);
  if (remade.length > 0) {
    const names = remade.map(({ name }) => name);
    return named('recreated, or are computed or ordered in another way', names);
  }
  const [parts, partsBefore] = [facts.parts ?? {}, before.parts ?? {}];
  const names = Object.keys(parts);
  // One that is gone has taken its rows with it: that is a delete, which no tracking field tells of.
  if (names.some((name) => name in partsBefore && parts[name] !== partsBefore[name])) {
    return 'a partition was truncated, loaded again or rewritten as a whole';
  }
  const added = names.filter((name) => !(name in partsBefore));
  if (added.length > 0 && (await source.holdsBelow?.(table, added, field, value)) !== false) {
    return 'a partition was attached that has older rows';
  }
  if ((await source.reaches?.(table, field, value)) === false) {
    return `no ${field} is at or above ${value} any more: the table was emptied, loaded again or restored`;
  }
  if (newest.length > 0 && (await source.stands?.(table, field, newest)) === false) {
    return 'none of its newest rows of then is there any more: the table was truncated, loaded again or restored';
  }
  return undefined;
}
