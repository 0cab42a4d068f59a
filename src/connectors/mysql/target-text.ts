import { millisecondsOf } from '../../lib/timestamp.ts';
import type { Change } from './target-types.ts';

/** A field of COPY text as LOAD DATA is to read it; a rule's name with null where the value cannot be held. */
export type Changed = { text: string } | { rule: string };

const moment = /^(\d{4}-\d\d-\d\d)(?:( \d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?)?$/;
const digits = /^-?(\d+)(?:\.(\d+))?$/;
const outOfCalendar = { rule: 'date_out_of_range_nulled' };

/** @param text not NULL. */
export function changed(text: string, change: Change): Changed {
  switch (change) {
    case 'none':
      return { text };
    case 'boolean':
      return { text: text === 't' ? '1' : '0' };
    case 'hex':
      // Both backslashes of COPY's `\\x`.
      return { text: text.replace(/^\\{1,2}x/, '') };
    case 'finite':
      return /^(NaN|-?Infinity)$/.test(text) ? { rule: 'not_finite_nulled' } : { text };
    case 'number': {
      if (/^(NaN|-?Infinity)$/.test(text)) return { rule: 'not_finite_nulled' };
      const [, whole = '', fraction = ''] = digits.exec(text) ?? [];
      const fits = whole.length <= 35 && fraction.replace(/0+$/, '').length <= 30;
      return fits ? { text } : { rule: 'number_out_of_range_nulled' };
    }
    case 'date':
    case 'timestamp':
      return moment.test(text) ? { text } : outOfCalendar;
    case 'timestamptz':
      return inUtc(text);
  }
}

function inUtc(text: string): Changed {
  const [, date, time = '', sign, hours = '00', minutes = '00', seconds = '00'] = moment.exec(text) ?? [];
  if (date === undefined) return outOfCalendar;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  if (offset === 0) return { text: `${date}${time}` };
  const [whole = '', fraction] = time.trim().split('.');
  const local = millisecondsOf(`${date}T${whole}Z`);
  if (Number.isNaN(local)) return outOfCalendar;
  const utc = new Date(local + (sign === '-' ? offset : -offset) * 1000).toISOString();
  // Years that four digits do not hold.
  if (!/^\d{4}-/.test(utc) || utc.startsWith('0000')) return outOfCalendar;
  return { text: `${utc.slice(0, 19).replace('T', ' ')}${fraction === undefined ? '' : `.${fraction}`}` };
}
