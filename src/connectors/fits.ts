/**
 * What would change in a value on its way into a column: databases round and cut without a word. A value of which only
 * precision is lost is stored and reported; one that would become another is refused.
 */
import { floatText } from '../lib/float-text.ts';

export interface Misfit {
  /** Name of the change, as warnings give it. */
  rule: string;
  /** For people. */
  reason: string;
  /** The value is not to be stored. */
  refused?: true;
}

/** Looks at a value's text. Undefined: the column takes it as it is, or refuses it by itself. */
export type Fit = (text: string) => Misfit | undefined;

/** The first misfit of several. */
export function all(...fits: readonly Fit[]): Fit {
  return (text) => {
    for (const misfitOf of fits) {
      const misfit = misfitOf(text);
      if (misfit !== undefined) return misfit;
    }
    return undefined;
  };
}

/** Of the elements of an array. */
export function elements(misfitOf: Fit): Fit {
  return (text) => {
    for (const element of text.split(/[{},"]/)) {
      const misfit = element === '' ? undefined : misfitOf(element);
      if (misfit !== undefined) return misfit;
    }
    return undefined;
  };
}

/** @param scale may be below zero: 2 keeps cents, -2 hundreds. */
export function decimals(type: string, scale: number): Fit {
  const misfit = { rule: 'number_rounded', reason: `${type} keeps no more than ${scale} decimals` };
  return (text) => {
    const point = text.indexOf('.');
    const isShort = scale >= 0 && (point < 0 || text.length - point - 1 <= scale);
    if (isShort && !/e/i.test(text)) return undefined;
    const number = parse(text);
    return number === undefined || number.power >= -scale ? undefined : misfit;
  };
}

/** For columns of whole numbers. */
export function whole(type: string): Fit {
  const misfit: Misfit = { rule: 'not_whole', reason: `${type} holds whole numbers only`, refused: true };
  return (text) => {
    if (!/[.e]/i.test(text)) return undefined;
    const number = parse(text);
    return number === undefined || number.power >= 0 ? undefined : misfit;
  };
}

export function float(type: string, precision: 'single' | 'double'): Fit {
  // So many digits are always kept.
  const safe = precision === 'single' ? 6 : 15;
  const misfit = { rule: 'number_rounded', reason: `${type} keeps about ${safe + 1} digits` };
  return (text) => {
    if (text.length <= safe && !/e/i.test(text)) return undefined;
    const number = parse(text);
    if (number === undefined) return undefined;
    const kept = parse(floatText(text, precision));
    return kept?.digits === number.digits && kept.power === number.power ? undefined : misfit;
  };
}

/** @param digits of a second's fraction that are kept. */
export function fraction(type: string, digits: number): Fit {
  const misfit = { rule: 'time_rounded', reason: `${type} keeps ${digits} digits of a second` };
  return (text) => {
    const point = text.indexOf('.');
    if (point < 0) return undefined;
    const [, kept = ''] = /^(\d*?)0*(?!\d)/.exec(text.slice(point + 1)) ?? [];
    return kept.length > digits ? misfit : undefined;
  };
}

const dated = /^[+-]?\d{4,}-\d\d-\d\d/;
const timeOfDay = /\d\d:\d\d(?::\d\d(?:\.\d+)?)?/;

/** For columns of days. */
export function dayOnly(type: string): Fit {
  const misfit = { rule: 'time_dropped', reason: `${type} keeps no time of day` };
  return (text) => {
    const [time = ''] = timeOfDay.exec(text) ?? [];
    return /[1-9]/.test(time) ? misfit : undefined;
  };
}

/** For columns of times of day. */
export function timeOnly(type: string): Fit {
  const misfit: Misfit = { rule: 'date_lost', reason: `${type} holds no date`, refused: true };
  return (text) => (dated.test(text) ? misfit : undefined);
}

/** For columns without a time zone that drop one: what is in UTC stays as it is. */
export function utcOnly(type: string): Fit {
  const reason = `${type} keeps no time zone, and takes a time in no other than UTC`;
  const misfit: Misfit = { rule: 'time_zone_lost', reason, refused: true };
  return (text) => {
    const [, zone = ''] = /:\d\d(?:\.\d+)? ?([+-].*|[A-Za-z].*)$/.exec(text) ?? [];
    return zone === '' || /^([+-][0:]+|z|utc|bc|ad)$/i.test(zone) ? undefined : misfit;
  };
}

const spaces = 'trailing_spaces_dropped';

/** @param length in characters; white space beyond it would be cut off, and of others not every database names the field. */
export function atMostCharacters(type: string, length: number): Fit {
  const misfit = { rule: spaces, reason: `${type} has no room for spaces at the end` };
  const tooLong: Misfit = {
    rule: 'too_long',
    reason: `the text is too long: ${type} holds ${length} characters`,
    refused: true,
  };
  return (text) => {
    if (text.length <= length || [...text].length <= length) return undefined;
    return [...text.trimEnd()].length > length ? tooLong : misfit;
  };
}

export function noSpacesAtEnd(type: string): Fit {
  const misfit = { rule: spaces, reason: `${type} keeps no spaces at the end` };
  return (text) => (text.endsWith(' ') ? misfit : undefined);
}

/** For columns that make a number of nothing. */
export function notEmpty(type: string): Fit {
  const misfit: Misfit = { rule: 'not_a_number', reason: `${type} takes no empty text`, refused: true };
  return (text) => (text.trim() === '' ? misfit : undefined);
}

/** @param length in bytes; what is longer would be cut off. */
export function atMostBytes(type: string, length: number): Fit {
  const misfit: Misfit = {
    rule: 'too_long',
    reason: `the value is too long: ${type} holds ${length} bytes`,
    refused: true,
  };
  return (text) => (Buffer.byteLength(text) > length ? misfit : undefined);
}

/** A list of members as SQL writes it, whose quotes are doubled. @param kind of a `set` several are taken. */
export function ofMembers(type: string, kind: 'enum' | 'set'): Fit {
  const names = [...type.matchAll(/'((?:[^']|'')*)'/g)].map(([, name = '']) => name.replaceAll("''", "'"));
  const members = new Set(names);
  const misfit: Misfit = { rule: 'not_a_member', reason: `it is no member of ${type}`, refused: true };
  return (text) => {
    const parts = kind === 'enum' ? [text] : text.split(',').filter((part) => part !== '');
    return parts.every((part) => members.has(part)) ? undefined : misfit;
  };
}

/** @param most digits before the point; of numbers beyond them not every database names the field. */
export function belowPower(type: string, most: number): Fit {
  const misfit: Misfit = {
    rule: 'too_large',
    reason: `${type} holds ${most} digits before the point`,
    refused: true,
  };
  return (text) => {
    if (text.length <= most && !/e/i.test(text)) return undefined;
    const number = parse(text);
    if (number === undefined || number.digits === '0') return undefined;
    return number.digits.replace('-', '').length + number.power > most ? misfit : undefined;
  };
}

/** @param exact a shorter one is refused, too. */
export function bits(type: string, length: number, exact: boolean): Fit {
  const misfit: Misfit = { rule: 'wrong_length', reason: `${type} holds ${length} bits`, refused: true };
  return (text) => {
    if (!/^[01]*$/.test(text)) return undefined;
    return text.length > length || (exact && text.length < length) ? misfit : undefined;
  };
}

/** digits × 10^power, without zeros at either end of the digits; a sign is part of them. */
function parse(text: string): { digits: string; power: number } | undefined {
  const [, sign, before = '', after = '', power = '0'] =
    /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/.exec(text) ?? [];
  if (sign === undefined || before + after === '') return undefined;
  const all = (before + after).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { digits: '0', power: 0 };
  const shift = Number(power) - after.length + (all.length - digits.length);
  return { digits: `${sign === '-' ? '-' : ''}${digits}`, power: shift };
}
