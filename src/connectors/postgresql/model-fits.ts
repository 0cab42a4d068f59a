import { type FitOf, fitsBy } from '../checked.ts';
import {
  all,
  atMostBytes,
  atMostCharacters,
  belowPower,
  bits,
  dayOnly,
  decimals,
  elements,
  type Fit,
  float,
  fraction,
  notEmpty,
  timeOnly,
  utcOnly,
} from '../fits.ts';
import { intervalFit } from './interval-fit.ts';
import type { Target } from './model-target.ts';

/** Of the types whose values PostgreSQL changes without a word. What is kept in the source's own type is not changed. */
export function fitsOf({ keptTypes }: Target): FitOf {
  return fitsBy((target) => keptTypes.get(target), fitOf);
}

function fitOf(type: string): Fit | undefined {
  if (type.endsWith('[]')) {
    const fit = fitOf(type.slice(0, -2));
    return fit && elements(fit);
  }
  const [, name = '', first, second = '0', rest = ''] =
    /^([a-z" ]+?)(?:\((\d+)(?:,(-?\d+))?\))?( with.*)?$/.exec(type) ?? [];
  const digits = Number(first ?? 6);
  if (type.startsWith('interval')) return intervalFit(type);
  switch (name + rest) {
    case 'numeric':
      return first === undefined
        ? undefined
        : all(belowPower(type, digits - Number(second)), decimals(type, Number(second)));
    case 'money':
      return all(notEmpty(type), decimals(type, 2));
    case 'real':
      return float(type, 'single');
    case 'double precision':
      return float(type, 'double');
    case 'date':
      return all(utcOnly(type), dayOnly(type));
    case 'timestamp without time zone':
      return all(fraction(type, digits), utcOnly(type));
    case 'time without time zone':
      return all(timeOnly(type), fraction(type, digits), utcOnly(type));
    case 'time with time zone':
      return all(timeOnly(type), fraction(type, digits));
    case 'timestamp with time zone':
      return fraction(type, digits);
    case 'character':
    case 'character varying':
      return first === undefined ? undefined : atMostCharacters(type, digits);
    case 'bit':
      return bits(type, Number(first ?? 1), true);
    case 'bit varying':
      return first === undefined ? undefined : bits(type, digits, false);
    case 'name':
      return atMostBytes(type, 63);
    case '"char"':
      return atMostBytes(type, 1);
    default:
      return undefined;
  }
}
