import { jsonAt } from '../lib/json-path.ts';
import type { FieldType } from '../schema/field-type.ts';

const dateAndTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** What a document has at a path, as a field of a type has it. */
export function valueAt(document: string, path: readonly string[], type: FieldType): string | null {
  const found = jsonAt(document, path);
  return found === undefined ? null : jsonAsText(found, type);
}

/**
 * The text of a JSON value as a field of a type has it. One that is of another type keeps its own text: a target that
 * can hold it gets it exactly, any other refuses the record. Digits are never touched.
 */
function jsonAsText(json: string, type: FieldType): string | null {
  if (json === 'null') return null;
  if (type === 'object' || type === 'array') return json;
  if (json.startsWith('"')) {
    const text = JSON.parse(json) as string;
    // Half a character is no text anywhere: its escape stays.
    if (!text.isWellFormed()) return json;
    return type === 'datetime' ? asTimestamp(text) : text;
  }
  if (type === 'boolean' && (json === 'true' || json === 'false')) return json === 'true' ? 't' : 'f';
  return json;
}

/** ISO 8601 as PostgreSQL writes it. */
function asTimestamp(text: string): string {
  const match = dateAndTime.exec(text);
  if (match === null) return text;
  const [, date, time = '', zone = ''] = match;
  return `${date} ${time.length === 5 ? `${time}:00` : time}${/^z$/i.test(zone) ? '+00' : zone}`;
}
