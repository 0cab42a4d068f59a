/**
 * The values of a record as one text, for the metadata database: fields apart by U+001F, NULL as U+001E. Text that
 * holds such characters itself is rare, and becomes JSON behind U+001D; so does U+0000, which PostgreSQL's text cannot
 * hold. Several times faster than JSON for all.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const reserved = /[\x00\x1c-\x1f]/;

export function pack(values: readonly (string | null)[]): string {
  let text = '';
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? null;
    if (value !== null && reserved.test(value)) return `\x1d${JSON.stringify(values)}`;
    if (index > 0) text += '\x1f';
    text += value ?? '\x1e';
  }
  return text;
}

export function unpack(text: string): (string | null)[] {
  if (text.startsWith('\x1d')) return JSON.parse(text.slice(1)) as (string | null)[];
  const values: (string | null)[] = text.split('\x1f');
  for (let index = 0; index < values.length; index++) if (values[index] === '\x1e') values[index] = null;
  return values;
}
