import type { FilterField } from './expression.ts';
import { binaryNumber } from './numbers.ts';
import { parseTime } from './times.ts';

/** How a value, in PostgreSQL's text form, compares with an operand of `readOperands`: below, at or above zero. */
export type Order = (value: string, operand: string) => number;

export function orderOf({ type, remoteType }: Pick<FilterField, 'type' | 'remoteType'>): Order {
  switch (type) {
    case 'number':
      return (value, operand) => compareNumbers(value, operand, remoteType);
    case 'boolean':
      return (value, operand) => (operand.startsWith(value) ? 0 : 1);
    case 'datetime':
      return (value, operand) => sign(microsOf(value), microsOf(operand));
    default:
      return (value, operand) =>
        Buffer.compare(Buffer.from(value), Buffer.from(asPostgresqlWrites(operand, remoteType)));
  }
}

const plain = /^-?\d+(\.\d+)?$/;

function compareNumbers(value: string, operand: string, type: string): number {
  const binary = binaryNumber(value, type);
  if (binary === undefined && plain.test(value)) {
    const places = Math.max(placesOf(value), placesOf(operand));
    return sign(scaled(value, places), scaled(operand, places));
  }
  // NaN is above everything else; no operand is infinite.
  const number = binary ?? Number(value);
  return sign(Number.isNaN(number) ? Infinity : number, binaryNumber(operand, type) ?? Number(operand));
}

function placesOf(number: string): number {
  const point = number.indexOf('.');
  return point < 0 ? 0 : number.length - point - 1;
}

function scaled(number: string, places: number): bigint {
  return BigInt(number.replace('.', '') + '0'.repeat(places - placesOf(number)));
}

/** Beyond the years 1 to 9999 there are no operands: it is enough to know on which side a value is. */
function microsOf(time: string): bigint | number {
  const parsed = parseTime(time);
  if (parsed !== undefined) return parsed.micros;
  return time.startsWith('-') || time.endsWith('BC') ? -Infinity : Infinity;
}

function sign(a: bigint | number, b: bigint | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function asPostgresqlWrites(operand: string, type: string): string {
  if (type === 'uuid') return operand.toLowerCase();
  if (!/^time\b/.test(type)) return operand;
  return operand
    .replace(/^\d+:\d\d$/, '$&:00')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
