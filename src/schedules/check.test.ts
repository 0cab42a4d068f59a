import { expect, test } from 'vitest';
import { checkTiming } from './check.ts';

const check = (request: Parameters<typeof checkTiming>[0], allowed: 'runafter'[] = []) =>
  checkTiming(request, (member) => `schedule.${member}`, allowed);

test('parts stay as they were given, also those that a frequency does not read', () => {
  expect(check({})).toEqual({ frequency: 'manual' });
  const manual = { frequency: 'manual', hour: 'whenever', month: '' } as const;
  expect(check(manual)).toEqual(manual);
  expect(check({ frequency: 'daily', hour: '05', minute: '00', day_of_week: '', month: null })).toEqual({
    frequency: 'daily',
    hour: '05',
    minute: '00',
    day_of_week: '',
  });
  expect(check({ frequency: 'weekly', day_of_week: 'monday' })).toEqual({
    frequency: 'weekly',
    day_of_week: 'monday',
  });
  const custom = {
    minute: '*/15',
    hour: '8-17',
    day_of_month: '1,L',
    month: 'jan-March',
    day_of_week: 'mon-fri',
  };
  expect(check({ frequency: 'custom', ...custom })).toEqual({ frequency: 'custom', ...custom });
  expect(check({ frequency: 'runafter' }, ['runafter'])).toEqual({ frequency: 'runafter' });
});

test.each([
  [{ frequency: 'hourly', minute: '60' }, 'schedule.minute', /"60" is none: it takes 0 to 59/],
  [{ frequency: 'hourly', minute: '*' }, 'schedule.minute', /takes 0 to 59/],
  [{ frequency: 'daily', hour: '24' }, 'schedule.hour', /takes 0 to 23, in UTC/],
  [{ frequency: 'daily', hour: '-1' }, 'schedule.hour', /takes 0 to 23/],
  [{ frequency: 'daily', hour: '5am' }, 'schedule.hour', /takes 0 to 23/],
  [
    { frequency: 'weekly', hour: '5' },
    'schedule.day_of_week',
    /is needed for weekly: a name such as "monday"/,
  ],
  [{ frequency: 'weekly', day_of_week: 'someday' }, 'schedule.day_of_week', /takes a name such as "monday"/],
  [{ frequency: 'weekly', day_of_week: '8' }, 'schedule.day_of_week', /0 \(sunday\) to 6/],
  [{ frequency: 'weekly', day_of_week: 'mon-fri' }, 'schedule.day_of_week', /takes a name/],
  [{ frequency: 'custom', hour: '5' }, 'schedule.minute', /is needed for custom: 0 to 59, or "\*"/],
  [{ frequency: 'builder', minute: '0' }, 'schedule.hour', /is needed for builder/],
  [{ frequency: 'custom', minute: '0 5', hour: '*' }, 'schedule.minute', /no field of a cron pattern/],
  [{ frequency: 'custom', minute: '?', hour: '*' }, 'schedule.minute', /no field of a cron pattern/],
  [{ frequency: 'custom', minute: '0', hour: '*', month: '13' }, 'schedule.month', /takes 1 to 12/],
  [{ frequency: 'custom', minute: '0', hour: '9-5' }, 'schedule.hour', /no field of a cron pattern/],
  [
    { frequency: 'custom', minute: '0', hour: '0', day_of_month: '31', month: '4,june' },
    'schedule.day_of_month',
    /never comes/,
  ],
  [{ frequency: 'multi' }, 'schedule.frequency', /multi is not supported: use additional_schedules/],
  [{ frequency: 'dbtcloud' }, 'schedule.frequency', /dbtcloud is not supported/],
  [{ frequency: 'runafter' }, 'schedule.frequency', /runafter is for model syncs/],
])('%j is refused: %s', (request, field, reason) => {
  expect(() => check(request)).toThrow(
    expect.objectContaining({
      key: 'invalid_field',
      metadata: { field, reason: expect.stringMatching(reason) },
    }),
  );
});
