import { invalidField } from '../errors.ts';
import type { Json } from '../lib/json.ts';
import { shown } from './shown.ts';

const number = /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i;
const integer = /^(u?)(tinyint|smallint|mediumint|int|integer|bigint|hugeint)(?:\(\d+\))?( unsigned)?\b/i;
const decimal = /^(?:numeric|decimal)\((\d+),\s*(-?\d+)\)/i;
const single = /^(real|float|float4)\b/i;
const double = /^double\b/i;

const bits: Record<string, number> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  integer: 32,
  bigint: 64,
  hugeint: 128,
};

/**
 * A number as plain decimal digits, none lost.
 *
 * @param type the column's own, for the numbers it can hold: a server would round what it cannot, or fail.
 */
export function numberText(value: Json, type: string, place: string): string {
  const rounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  if (rounded && binaryNumber('0', type) === undefined) {
    throw invalidField(place, `${value} lost digits on its way; write it as a text, e.g. "9007199254740993"`);
  }
  const given = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  const match = number.exec(given);
  if (match === null || given.length > 1000) {
    throw invalidField(place, `${shown(value)} is no number, as ${type} needs; e.g. 10 or "12.5"`);
  }
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const significant = (whole + fraction).replace(/^0+/, '');
  const digits = significant.replace(/0+$/, '');
  // Digits behind the point; below zero: zeros in front of it that are not written.
  const scale = fraction.length - Number(exponent) - (significant.length - digits.length);
  const text = digits === '' ? '0' : (sign === '-' ? '-' : '') + plain(digits, scale);
  if (!fits(text, digits, scale, type)) throw invalidField(place, `${shown(value)} does not fit ${type}`);
  return text;
}

/** The number that a column of single or double precision holds for a text; undefined for other types. */
export function binaryNumber(text: string, type: string): number | undefined {
  if (single.test(type)) return Math.fround(Number(text));
  return double.test(type) ? Number(text) : undefined;
}

function plain(digits: string, scale: number): string {
  if (scale <= 0) return digits + '0'.repeat(-scale);
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function fits(text: string, digits: string, scale: number, type: string): boolean {
  if (digits === '') return true;
  const [, precision, places] = decimal.exec(type) ?? [];
  if (places !== undefined) {
    return scale <= Number(places) && digits.length - scale <= Number(precision) - Number(places);
  }
  const [, u, name = '', unsigned] = integer.exec(type) ?? [];
  const width = bits[name.toLowerCase()];
  if (width !== undefined) {
    if (scale > 0) return false;
    const noSign = u !== '' || unsigned !== undefined;
    const value = BigInt(text);
    return (noSign ? BigInt.asUintN(width, value) : BigInt.asIntN(width, value)) === value;
  }
  const binary = binaryNumber(text, type);
  return binary === undefined || Number.isFinite(binary);
}
