import type { Json } from '../lib/json.ts';

/** A value to be named in an error: short, whatever it is. */
export function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
