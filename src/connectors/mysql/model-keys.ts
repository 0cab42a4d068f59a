import type { Column } from './columns.ts';
import { identifier, literal } from './quote.ts';
import type { Rendering } from './types.ts';

/** Bytes of one list of keys, well below what a server takes as one statement. */
const listLength = 1024 * 1024;

/** The literal for a key's text; undefined where the key cannot be one of the column. */
const literals: Partial<Record<Rendering, (key: string) => string | undefined>> = {
  number: (key) => (/^-?\d+(\.\d+)?$/.test(key) ? key : undefined),
  text: literal,
  verbatim: literal,
  date: literal,
  datetime: literal,
  timestamp: (key) => literal(key.replace(/\+00$/, '')),
  bytes: (key) => (/^\\x[0-9a-f]*$/.test(key) ? `x'${key.slice(2)}'` : undefined),
};

/**
 * WHERE clauses that together give the records with these keys, and maybe others. Keys of types that are not
 * compared by their text, or of records without an identity, are found by reading everything.
 */
export function keyConditions(identity: Column | undefined, keys: readonly string[] | undefined): string[] {
  const toLiteral = identity === undefined ? undefined : literals[identity.rendering];
  if (keys === undefined || identity === undefined || toLiteral === undefined) return [''];
  const lists: string[] = [];
  let list: string[] = [];
  let length = 0;
  const close = () => {
    if (list.length > 0) lists.push(` where ${identifier(identity.name)} in (${list.join(', ')})`);
    [list, length] = [[], 0];
  };
  for (const key of keys) {
    const value = toLiteral(key);
    if (value === undefined) continue;
    list.push(value);
    length += value.length;
    if (length > listLength) close();
  }
  close();
  return lists;
}
