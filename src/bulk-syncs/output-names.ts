import { splitTableId } from '../connectors/index.ts';
import type { BulkSync, ColumnName, FieldSettings, NormalizeNames, SelectedSchema } from './bulk-sync.ts';

/** Bytes a name may have: PostgreSQL's limit, the lowest among the systems we write to. */
export const longestName = 63;

export interface OutputName {
  /** Namespace in the destination. */
  schema: string;
  name: string;
}

type Naming = Pick<BulkSync, 'normalizeNames' | 'destinationConfiguration'>;

/** What names are derived by, as text: a name that was given under other settings is given anew. */
export function namingOf(sync: Naming, { settings }: Pick<SelectedSchema, 'settings'>): string {
  const { mirror_schemas: mirror = false, advanced } = sync.destinationConfiguration;
  const schema = namedSchema(sync) ?? null;
  const { table_prefix: prefix = '' } = (advanced ?? {}) as { table_prefix?: string };
  return JSON.stringify([schema, mirror, prefix, sync.normalizeNames, settings.userOutputName]);
}

/**
 * Where each schema of a sync goes. All schemas have to be given, enabled or not, so that a name does not
 * depend on what else runs. Names that somebody chose come first, then those given earlier, so that a schema that
 * turns up in the source takes nobody's table; a name that is taken gets the source's namespace in front, then a
 * number behind.
 */
export function outputNames(sync: Naming, schemas: readonly SelectedSchema[]): Map<string, OutputName> {
  const { mirror_schemas: mirror, advanced } = sync.destinationConfiguration;
  const fallback = namedSchema(sync) ?? 'public';
  const { table_prefix: prefix } = (advanced ?? {}) as { table_prefix?: unknown };
  const prefixed = (name: string) => `${typeof prefix === 'string' ? prefix : ''}${name}`;

  const result = new Map<string, OutputName>();
  const taken = new Taken();
  const inOrder = schemas.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const isChosen = ({ settings }: SelectedSchema) => settings.userOutputName !== '';
  const isGiven = (one: SelectedSchema) => one.output?.naming === namingOf(sync, one);
  const rank = (one: SelectedSchema) => (isChosen(one) ? 0 : isGiven(one) ? 1 : 2);
  for (const one of inOrder.toSorted((a, b) => rank(a) - rank(b))) {
    const { id, settings } = one;
    if (!isChosen(one) && isGiven(one) && one.output !== undefined) {
      const { schema: output, name } = one.output;
      result.set(id, { schema: output, name: firstFree([name], taken, output) });
      continue;
    }
    const [namespace, table] = splitTableId(id);
    const output = mirror === true && namespace !== '' ? normalize(namespace, sync.normalizeNames) : fallback;
    const long = namespace === '' ? table : `${namespace}_${table}`;
    const candidates =
      settings.userOutputName === ''
        ? [table, long].map((name) => prefixed(normalize(name, sync.normalizeNames)))
        : [settings.userOutputName];
    result.set(id, { schema: output, name: firstFree(candidates, taken, output) });
  }
  return result;
}

/** Databases have schemas, stores of files have folders. */
function namedSchema({ destinationConfiguration: { schema, subfolder } }: Naming): string | undefined {
  return [schema, subfolder].find((name) => typeof name === 'string' && name !== '') as string | undefined;
}

/**
 * Output names of a table's columns, in the order of `columns`. Names that somebody chose come first, then those that a
 * column was given earlier. A name that any other column was given is not given again: the destination may hold that
 * one's values.
 */
export function columnNames(
  columns: readonly string[],
  fields: readonly FieldSettings[],
  mode: NormalizeNames,
  given: readonly ColumnName[] = [],
): ColumnName[] {
  const chosen = new Map(fields.map(({ id, userOutputName }) => [id, userOutputName]));
  const taken = new Taken();
  const result = new Map<string, ColumnName>();
  const add = (column: string, naming: string, wanted: string, isReserved?: (key: string) => boolean) => {
    const name = firstFree([wanted], taken, '', isReserved);
    result.set(column, { column, name, naming });
  };
  const givenBy = new Map(given.map((one) => [JSON.stringify([one.column, one.naming]), one]));
  const asked = columns.map((column) => {
    const name = chosen.get(column) || undefined;
    const naming = JSON.stringify([mode, name ?? '']);
    return {
      column,
      name,
      naming,
      before: givenBy.get(JSON.stringify([column, naming])),
    };
  });
  for (const { column, name, naming } of asked) if (name !== undefined) add(column, naming, name);
  for (const { column, name, naming, before } of asked) {
    if (name === undefined && before !== undefined) add(column, naming, before.name);
  }
  const owners = Map.groupBy(given, ({ name }) => nameKey('', name));
  for (const { column, naming } of asked) {
    if (result.has(column)) continue;
    const isAnothers = (key: string) => owners.get(key)?.some((one) => one.column !== column) ?? false;
    add(column, naming, normalize(column, mode), isAnothers);
  }
  return asked.flatMap(({ column }) => result.get(column) ?? []);
}

/** Lower snake case of letters and digits of any script; as it is when names are not to be normalized. */
function normalize(name: string, mode: NormalizeNames): string {
  if (mode === 'disabled') return name;
  const snake = name
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_]+/gu, '_')
    .replaceAll(/(?<!^)_+$/g, '');
  return /^\p{N}/u.test(snake) ? `_${snake}` : snake;
}

/** Compared without case: some systems fold it. */
function nameKey(scope: string, name: string): string {
  return `${scope}\0${name.toLowerCase()}`;
}

/** Names that are given, and the numbers that were tried in vain behind each: many may want the same one. */
class Taken extends Set<string> {
  readonly tried = new Map<string, number>();
}

/** @param isReserved for others than the one that a name is looked for. */
function firstFree(
  candidates: readonly string[],
  taken: Taken,
  scope: string,
  isReserved: (key: string) => boolean = () => false,
): string {
  const key = (name: string) => nameKey(scope, name);
  const last = candidates.at(-1) ?? '';
  const wanted = candidates.map(key).join('\0\0');
  // A number that is reserved for another one may be free for the next.
  let reserved = false;
  for (let number = taken.tried.get(wanted) ?? 1; ; number++) {
    const suffix = number === 1 ? '' : `_${number}`;
    const names = (number === 1 ? candidates : [last]).map((name) => `${cut(name, suffix.length)}${suffix}`);
    const free = names.find((name) => {
      if (taken.has(key(name))) return false;
      if (!isReserved(key(name))) return true;
      reserved = true;
      return false;
    });
    if (free === undefined) continue;
    taken.add(key(free));
    if (!reserved && names.every((name) => taken.has(key(name)))) taken.tried.set(wanted, number);
    return free;
  }
}

/** Shortens to the bytes that are left beside a suffix, between characters. */
function cut(name: string, suffixLength: number): string {
  const limit = longestName - suffixLength;
  if (Buffer.byteLength(name) <= limit) return name;
  let result = '';
  for (const character of name) {
    if (Buffer.byteLength(result + character) > limit) break;
    result += character;
  }
  return result;
}
