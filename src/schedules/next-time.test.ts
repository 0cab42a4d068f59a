import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstTime, nextTime } from './next-time.ts';
import type { Timing } from './schedule.ts';

const next = (timing: Timing, after: string) =>
  nextTime(timing, new Date(after))?.toISOString().replace(':00.000Z', 'Z');

test.each<[Timing, after: string, expected: string | undefined]>([
  [{ frequency: 'manual' }, '2024-01-01T00:00:00Z', undefined],
  [{ frequency: 'runafter' }, '2024-01-01T00:00:00Z', undefined],
  [{ frequency: 'continuous' }, '2024-02-29T23:58:00Z', '2024-03-01T00:03Z'],
  [{ frequency: 'hourly' }, '2024-01-31T23:59:59.999Z', '2024-02-01T00:00Z'],
  [{ frequency: 'hourly', minute: '45' }, '2024-01-01T00:45:00Z', '2024-01-01T01:45Z'],
  [{ frequency: 'daily', hour: '05', minute: '00' }, '2024-02-28T05:00:00.001Z', '2024-02-29T05:00Z'],
  [{ frequency: 'daily', hour: '05' }, '2023-02-28T04:59:59.999Z', '2023-02-28T05:00Z'],
  [{ frequency: 'daily' }, '2023-12-31T00:00:00Z', '2024-01-01T00:00Z'],
  [{ frequency: 'weekly', day_of_week: 'Monday', hour: '9' }, '2024-01-01T09:00:00Z', '2024-01-08T09:00Z'],
  [{ frequency: 'weekly', day_of_week: 'sunday' }, '2024-01-01T00:00:00Z', '2024-01-07T00:00Z'],
  [{ frequency: 'weekly', day_of_week: '7' }, '2024-01-01T00:00:00Z', '2024-01-07T00:00Z'],
  // Months without a 31st are passed over.
  [custom('0', '0', '31'), '2024-01-31T00:00:00Z', '2024-03-31T00:00Z'],
  [custom('0', '0', 'L'), '2024-01-31T00:00:00Z', '2024-02-29T00:00Z'],
  [custom('0', '0', '29', 'february'), '2024-02-29T00:00:00Z', '2028-02-29T00:00Z'],
  [custom('0', '0', '29', '2'), '2096-02-29T00:00:00Z', '2104-02-29T00:00Z'],
  [custom('*/15', '8-17', '*', '*', 'mon-fri'), '2024-01-05T17:45:00Z', '2024-01-08T08:00Z'],
  // As in cron: either of the two days.
  [custom('0', '0', '1', '*', 'friday'), '2024-01-26T00:00:00Z', '2024-02-01T00:00Z'],
  [custom('0', '0', '30', 'february'), '2024-01-01T00:00:00Z', undefined],
])('%j after %s: %s', (timing, after, expected) => {
  expect(next(timing, after)).toBe(expected);
});

test('a continuous schedule is due at once when it begins; others wait for their time', () => {
  const now = new Date('2024-01-01T00:00:00Z');
  expect(firstTime({ frequency: 'continuous' }, now)).toEqual(now);
  expect(firstTime({ frequency: 'hourly' }, now)).toEqual(new Date('2024-01-01T01:00:00Z'));
});

const anyTime = fc.date({ min: new Date(0), max: new Date('2150-01-01'), noInvalidDate: true });
const upTo = (max: number, min = 0) => fc.integer({ min, max });
const day = 24 * 3_600_000;

test('hourly, daily, weekly: the parts match, strictly later, within one period', () => {
  const timing = fc.oneof(
    fc.record({ frequency: fc.constant('hourly' as const), minute: upTo(59) }),
    fc.record({ frequency: fc.constant('daily' as const), minute: upTo(59), hour: upTo(23) }),
    fc.record({
      frequency: fc.constant('weekly' as const),
      minute: upTo(59),
      hour: upTo(23),
      day_of_week: upTo(6),
    }),
  );
  const period = { hourly: 3_600_000, daily: day, weekly: 7 * day };
  fc.assert(
    fc.property(timing, anyTime, ({ frequency, ...parts }, after) => {
      const texts = Object.entries(parts).map(([part, value]) => [part, String(value).padStart(2, '0')]);
      const at = nextTime({ frequency, ...Object.fromEntries(texts) }, after) ?? new Date(Number.NaN);
      expect(at.getTime()).toBeGreaterThan(after.getTime());
      expect(at.getTime() - after.getTime()).toBeLessThanOrEqual(period[frequency]);
      const { minute, hour, day_of_week: weekday } = { hour: undefined, day_of_week: undefined, ...parts };
      expect([at.getUTCMilliseconds(), at.getUTCSeconds(), at.getUTCMinutes()]).toEqual([0, 0, minute]);
      if (hour !== undefined) expect(at.getUTCHours()).toBe(hour);
      if (weekday !== undefined) expect(at.getUTCDay()).toBe(weekday);
    }),
  );
});

test('custom: the same as walking through the days', () => {
  const some = (max: number, min = 0) => fc.uniqueArray(upTo(max, min), { minLength: 1, maxLength: 4 });
  const all = (max: number, min = 0) => fc.option(some(max, min), { nil: undefined });
  const parts = fc.record({
    minutes: some(59),
    hours: some(23),
    dates: all(31, 1),
    months: all(12, 1),
    days: all(6),
  });
  fc.assert(
    fc.property(parts, anyTime, ({ minutes, hours, dates, months, days }, after) => {
      const field = (list: number[] | undefined) => list?.join(',') ?? '*';
      const timing = custom(field(minutes), field(hours), field(dates), field(months), field(days));
      const isDay = (date: Date) => {
        if (months && !months.includes(date.getUTCMonth() + 1)) return false;
        if (!dates || !days)
          return (dates?.includes(date.getUTCDate()) ?? true) && (days?.includes(date.getUTCDay()) ?? true);
        return dates.includes(date.getUTCDate()) || days.includes(date.getUTCDay());
      };
      const times = hours.flatMap((hour) => minutes.map((minute) => (hour * 60 + minute) * 60_000));
      const first = Math.floor(after.getTime() / day) * day;
      let expected: number | undefined;
      // Eight years lie between the two 29ths of February around 2100.
      for (let date = first; expected === undefined && date < first + 8.1 * 366 * day; date += day) {
        const later = times.map((time) => date + time).filter((time) => time > after.getTime());
        if (isDay(new Date(date)) && later.length > 0) expected = Math.min(...later);
      }
      expect(nextTime(timing, after)?.getTime()).toBe(expected);
    }),
  );
});

function custom(minute: string, hour: string, day_of_month = '*', month = '*', day_of_week = '*'): Timing {
  return { frequency: 'custom', minute, hour, day_of_month, month, day_of_week };
}
