import { type FitOf, fitsBy } from '../checked.ts';
import {
  all,
  atMostCharacters,
  dayOnly,
  decimals,
  type Fit,
  float,
  fraction,
  type Misfit,
  noSpacesAtEnd,
  notEmpty,
  ofMembers,
  timeOnly,
  whole,
} from '../fits.ts';
import type { Target } from './model-target.ts';

/** Of the types whose values MySQL changes without a word, strict as it is told to be. */
export function fitsOf({ columns }: Target): FitOf {
  return fitsBy((target) => columns.find(({ name }) => name === target)?.type, fitOf);
}

function fitOf(type: string): Fit | undefined {
  const [, name = '', first, second] = /^([a-z]+)(?:\((\d+)(?:,(\d+))?\))?/.exec(type) ?? [];
  const length = Number(first ?? 0);
  switch (name) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'bigint':
      return whole(type);
    case 'year':
      return shaped(type, /^\d{4}$/, 'years of four digits');
    case 'decimal':
      return decimals(type, Number(second ?? 0));
    case 'float':
    case 'double': {
      const fit = float(type, name === 'float' ? 'single' : 'double');
      return second === undefined ? fit : all(decimals(type, Number(second)), fit);
    }
    case 'date':
      return all(shaped(type, moment, 'dates'), dayOnly(type));
    case 'datetime':
    case 'timestamp':
      return all(shaped(type, moment, 'dates and times'), fraction(type, length));
    case 'time':
      return all(timeOnly(type), shaped(type, timeOfDay, 'times'), fraction(type, length));
    case 'char':
      return noSpacesAtEnd(type);
    case 'varchar':
      return atMostCharacters(type, length);
    case 'binary':
      return filledUp(type, length);
    case 'bit':
      return notEmpty(type);
    case 'enum':
    case 'set':
      // A number would be the place of a member, and an A with dots the same as one without.
      return ofMembers(type, name);
    default:
      return undefined;
  }
}

const moment = /^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?.*)?$/;
const timeOfDay = /^-?\d{1,3}:\d\d(?::\d\d(?:\.\d*)?)?$/;

/** MySQL makes something of almost any text: 1.2.3.4 would be a day in the year 1, and 99 the year 1999. */
function shaped(type: string, shape: RegExp, what: string): Fit {
  const misfit: Misfit = { rule: 'not_a_time', reason: `${type} takes ${what} alone`, refused: true };
  return (text) => (shape.test(text) ? undefined : misfit);
}

function filledUp(type: string, length: number): Fit {
  const misfit = { rule: 'zero_padded', reason: `${type} fills up with zero bytes` };
  return (text) => {
    const bytes = text.startsWith('\\x') ? (text.length - 2) / 2 : Buffer.byteLength(text);
    return bytes < length ? misfit : undefined;
  };
}
