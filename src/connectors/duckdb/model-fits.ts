import { type FitOf, fitsBy } from '../checked.ts';
import {
  all,
  belowPower,
  dayOnly,
  decimals,
  elements,
  type Fit,
  float,
  fraction,
  type Misfit,
  notEmpty,
  ofMembers,
  timeOnly,
  utcOnly,
  whole,
} from '../fits.ts';
import type { Target } from './model-destination.ts';

/** Of the types whose values DuckDB changes without a word. What is kept in the source's own type is not changed. */
export function fitsOf({ columns }: Target): FitOf {
  return fitsBy((target) => columns.find(({ name }) => name === target)?.typeName, fitOf);
}

function fitOf(type: string): Fit | undefined {
  const [list, element] = /^(.*)\[\d*\]$/.exec(type) ?? [];
  if (list !== undefined) {
    const misfit: Misfit = { rule: 'not_an_array', reason: `${type} takes arrays alone`, refused: true };
    const isArray: Fit = (text) => (/^[[{]/.test(text) && text.endsWith('}') ? undefined : misfit);
    const fit = /INT(EGER)?$/.test(element ?? '')
      ? whole(type)
      : element?.startsWith('ENUM(')
        ? undefined
        : fitOf(element ?? '');
    return fit === undefined ? isArray : all(isArray, elements(fit));
  }
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (scale !== undefined) {
    return all(belowPower(type, Number(precision) - Number(scale)), decimals(type, Number(scale)));
  }
  // DuckDB speaks of the number that it keeps a member as.
  if (type.startsWith('ENUM(')) return ofMembers(type, 'enum');
  switch (type) {
    case 'FLOAT':
      return float(type, 'single');
    case 'DOUBLE':
      return float(type, 'double');
    case 'DATE':
      return all(utcOnly(type), dayOnly(type));
    case 'TIMESTAMP':
    case 'TIMESTAMP_NS':
      return all(fraction(type, 6), utcOnly(type));
    case 'TIMESTAMP_S':
      return all(fraction(type, 0), utcOnly(type));
    case 'TIMESTAMP_MS':
      return all(fraction(type, 3), utcOnly(type));
    case 'TIMESTAMP WITH TIME ZONE':
      return fraction(type, 6);
    case 'INTERVAL':
      return all(notEmpty(type), fraction(type, 6));
    case 'TIME':
    case 'TIME_NS':
      return all(timeOnly(type), fraction(type, 6), utcOnly(type));
    case 'TIME WITH TIME ZONE':
      return all(timeOnly(type), fraction(type, 6));
    default:
      return undefined;
  }
}
