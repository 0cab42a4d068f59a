import { parseTime } from '../conditions/index.ts';
import type { Field } from '../connectors/index.ts';

/**
 * How two fields are compared, that need not be of the same type nor of the same system: docs/models.md has the
 * rules. A reading makes texts equal that stand for the same value; what it cannot read has no partner.
 */
export type Reading = (text: string) => string | undefined;

type Compared = Pick<Field, 'type' | 'remoteType'>;

/** @returns how to read the values of the one and of the other. */
export function readingsOf(one: Compared, other: Compared): [Reading, Reading] {
  const either = (holds: (field: Compared) => boolean) => holds(one) || holds(other);
  if (either(({ type }) => type === 'boolean')) return [asBoolean, asBoolean];
  if (either(({ type }) => type === 'number')) return [asNumber, asNumber];
  if (either(({ type }) => type === 'datetime')) return [asTime, asTime];
  if (either(({ remoteType }) => remoteType === 'uuid')) return [asUuid, asUuid];
  return [asText(one), asText(other)];
}

/** As PostgreSQL, MySQL and JSON write them: `007` is none, it may be a code. */
const number = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/** Digits without zeros at either end, and the power of ten of the last. */
function asNumber(text: string): string | undefined {
  const match = number.exec(text);
  if (match === null) return /^(NaN|-?Infinity)$/.test(text) ? text : undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const significant = (whole + fraction).replace(/^0+/, '');
  const digits = significant.replace(/0+$/, '');
  if (digits === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(significant.length - digits.length);
  return `${sign}${digits}e${power}`;
}

export function isNumber(text: string): boolean {
  return asNumber(text) !== undefined;
}

function asBoolean(text: string): string | undefined {
  if (/^(t|true|1)$/i.test(text)) return 't';
  return /^(f|false|0)$/i.test(text) ? 'f' : undefined;
}

/** A moment; one without an offset is in UTC, a day is its midnight. Beyond the years 1 to 9999 the text counts. */
function asTime(text: string): string {
  return parseTime(text)?.micros.toString() ?? text;
}

function asUuid(text: string): string | undefined {
  const digits = text.replaceAll(/[{}-]/g, '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

/** Character by character. The blanks with which PostgreSQL fills a `character(n)` are none of its value. */
function asText({ remoteType }: Compared): Reading {
  return /^(character\(|bpchar)/.test(remoteType) ? (text) => text.replace(/ +$/, '') : (text) => text;
}
