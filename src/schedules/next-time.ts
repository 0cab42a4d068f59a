import { Cron } from 'croner';
import type { Timing } from './schedule.ts';

/** Milliseconds from one start of a continuous schedule to its next. */
const continuousInterval = 5 * 60_000;

/** The next time after `after`, counted from a start at `after`. Null: never by the clock. */
export function nextTime(timing: Timing, after: Date): Date | null {
  switch (timing.frequency) {
    case 'manual':
    case 'runafter':
      return null;
    case 'continuous':
      return new Date(after.getTime() + continuousInterval);
    case 'hourly':
    case 'daily':
    case 'weekly':
    case 'custom':
    case 'builder':
      return nextMatch(cronPattern(timing), after);
  }
}

/** When a schedule that has just been made or activated is due first. */
export function firstTime(timing: Timing, now: Date): Date | null {
  return timing.frequency === 'continuous' ? now : nextTime(timing, now);
}

/** @throws TypeError, RangeError when the pattern is none. */
export function nextMatch(pattern: string, after: Date): Date | null {
  return new Cron(pattern, { timezone: 'UTC', mode: '5-part' }).nextRun(after);
}

/** Left out or empty, minute and hour are 0, except that in cron patterns, as in the days of all, everything matches. */
function cronPattern({ frequency, ...part }: Timing): string {
  const [minute, hour] = [part.minute || '0', part.hour || '0'];
  const [day, month] = [part.day_of_month || '*', part.month || '*'];
  const weekday = shortNames(part.day_of_week || '*');
  switch (frequency) {
    case 'hourly':
      return `${minute} * * * *`;
    case 'daily':
      return `${minute} ${hour} * * *`;
    case 'weekly':
      return `${minute} ${hour} * * ${weekday}`;
    default:
      return `${minute} ${hour} ${day} ${shortNames(month)} ${weekday}`;
  }
}

const fullNames =
  /\b(?:(?:sun|mon|tues|wednes|thurs|fri|satur)day|january|february|march|april|june|july|august|september|october|november|december)\b/gi;

/** Days and months written out, as cron patterns have them: `monday` → `mon`. */
export function shortNames(field: string): string {
  return field.replaceAll(fullNames, (name) => name.slice(0, 3));
}
