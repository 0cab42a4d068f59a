import { TidemarkError } from '../errors.ts';
import type { Json } from '../lib/json.ts';

/** @param place of the fault in the request, e.g. `filters.0.value`. */
export function wrong(place: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: place, reason });
}

/** A value to be named in an error: short, whatever it is. */
export function shown(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
