import { invalidField } from '../errors.ts';
import type { Json } from '../lib/json.ts';
import { elementType } from '../lib/pg-text.ts';
import { limits } from '../limits.ts';
import type { Condition, FilterField } from './expression.ts';
import { ruleOf } from './functions.ts';
import { numberText } from './numbers.ts';
import { shown } from './shown.ts';
import { dayMicros, dayText, parseRelative, parseSpan, parseTime, timeText } from './times.ts';

const { most: mostValues } = limits.lists.operands;
const { most: longestText } = limits.texts.operand;

/** Types whose values have a form that is known here; what else a server refuses, only it knows. */
const forms: { type: RegExp; value: RegExp; example: string }[] = [
  { type: /^bit\b(?! varying)/i, value: /^[01]+$/, example: '101' },
  {
    type: /^uuid$/i,
    value: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    example: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  },
  {
    type: /^time\b/i,
    value: /^-?\d{1,3}:\d\d(:\d\d(\.\d{1,6})?)?([+-]\d\d(:?\d\d)?)?$/,
    example: '23:59:59',
  },
];

/**
 * Reads the value of a condition: a text for each operand, in a form that all databases read alike. Numbers
 * are plain decimal digits, booleans `true` or `false`, times `2024-01-31 23:59:59.000000+00`, days
 * `2024-01-31`.
 *
 * @param field undefined while the fields are not known: then only the shape is checked, and nothing given.
 * @throws invalid_field
 */
export function readOperands(condition: Condition, field: FilterField | undefined, place: string): string[] {
  const { function: name, value } = condition;
  const { takes } = ruleOf(name);
  const list = (what: string, least: number, most: number) => {
    if (Array.isArray(value) && value.length >= least && value.length <= most) return value;
    throw invalidField(place, `${name} takes ${what}, not ${shown(value)}`);
  };
  switch (takes) {
    case 'nothing':
      if (value === null || value === '') return [];
      throw invalidField(place, `${name} takes no value; leave it out`);
    case 'value':
    case 'until':
      return [literal(scalar(value, name, place), field, place, takes === 'until')];
    case 'values':
      return list(`a list of 1 to ${mostValues} values`, 1, mostValues).map((one, index) =>
        literal(scalar(one, name, `${place}.${index}`), field, `${place}.${index}`),
      );
    case 'bounds':
      return list('a list of two values', 2, 2).map((one, index) =>
        literal(scalar(one, name, `${place}.${index}`), field, `${place}.${index}`, index === 1),
      );
    case 'text':
      return [text(scalar(value, name, place), place)];
    case 'pattern':
      return [pattern(text(scalar(value, name, place), place), place)];
    case 'element':
      return [literal(scalar(value, name, place), field && elementOf(field, place), place)];
    case 'relative':
      if (typeof value === 'string' && parseRelative(value, 0n) !== undefined) return [];
      throw invalidField(
        place,
        `${name} takes a time like "48 hours ago", "7 days from now" or "now", not ${shown(value)}`,
      );
    case 'span':
      if (typeof value === 'string' && parseSpan(value, 0n) !== undefined) return [];
      throw invalidField(place, `${name} takes a span like "48 hours" or "7 days", not ${shown(value)}`);
  }
}

type Scalar = string | number | boolean;

function scalar(value: Json, name: string, place: string): Scalar {
  if (value === null) throw invalidField(place, `${name} needs a value; NULL is asked for with IsNull`);
  if (typeof value === 'object') throw invalidField(place, `${name} takes one value, not ${shown(value)}`);
  return value;
}

/** @param until a day alone stands for its last moment. */
function literal(value: Scalar, field: FilterField | undefined, place: string, until = false): string {
  if (field === undefined) return String(value);
  switch (field.type) {
    case 'number':
      return numberText(value, field.remoteType, place);
    case 'boolean':
      if (/^(true|false)$/i.test(String(value))) return String(value).toLowerCase();
      throw invalidField(place, `${shown(value)} is neither true nor false, as ${field.name} is`);
    case 'datetime': {
      const time = typeof value === 'string' ? parseTime(value) : undefined;
      if (time === undefined) {
        const reason = 'e.g. "2024-01-31T12:00:00Z" or "2024-01-31", with six digits of a second at most';
        throw invalidField(place, `${shown(value)} is no time; ${reason}`);
      }
      if (/^date$/i.test(field.remoteType)) return dayText(time.micros);
      const nanos = time.micros * 1000n;
      if (/^timestamp_ns$/i.test(field.remoteType) && BigInt.asIntN(64, nanos) !== nanos) {
        throw invalidField(place, `${shown(value)} does not fit ${field.remoteType}`);
      }
      return timeText(until && time.day ? time.micros + dayMicros - 1n : time.micros);
    }
    default:
      return formed(text(value, place), field, place);
  }
}

function text(value: Scalar, place: string): string {
  const given = typeof value === 'number' ? numberText(value, 'numeric', place) : String(value);
  if (given.length > longestText) throw invalidField(place, `is longer than ${longestText} characters`);
  if (given.includes('\0') || !given.isWellFormed()) {
    throw invalidField(place, 'contains a NUL character or half a surrogate pair, which no database takes');
  }
  return given;
}

function formed(given: string, { name, remoteType }: FilterField, place: string): string {
  const form = forms.find(({ type }) => type.test(remoteType));
  if (form !== undefined && !form.value.test(given)) {
    throw invalidField(place, `${shown(given)} is no ${remoteType}; e.g. "${form.example}"`);
  }
  const [, labels] = /^enum\((.*)\)$/is.exec(remoteType) ?? [];
  if (labels && !labels.includes(`'${given.replaceAll("'", "''")}'`)) {
    throw invalidField(place, `${shown(given)} is no value of ${name}, which has ${labels}`);
  }
  return given;
}

function pattern(given: string, place: string): string {
  if (/(?<!\\)(\\\\)*\\$/.test(given))
    throw invalidField(place, 'ends with a backslash that has nothing to escape');
  return given;
}

export function elementOf(field: FilterField, place: string): FilterField {
  const { type, remoteType } = elementType(field.remoteType.toLowerCase());
  if (type === 'object') throw invalidField(place, `elements of ${field.remoteType} cannot be compared`);
  return { name: field.name, type, remoteType };
}
