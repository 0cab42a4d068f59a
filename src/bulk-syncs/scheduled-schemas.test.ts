import { expect, test } from 'vitest';
import type { Schedule, ScheduleSettings } from '../schedules/index.ts';
import type { SelectedSchema } from './bulk-sync.ts';
import { coversNewObjects, scheduledSchemas } from './scheduled-schemas.ts';

/** `orders` and `users` have a tracking field, `logs` and `tags` have none, `off` is not enabled. */
const schemas = ['orders', 'users', 'logs', 'tags', 'off'].map(
  (id) =>
    ({
      id,
      enabled: id !== 'off',
      settings: { trackingField: id === 'orders' || id === 'users' ? 'at' : '' },
    }) as SelectedSchema,
);
const schedule = (isDefault: boolean, settings: Partial<ScheduleSettings>) =>
  ({ isDefault, settings: { frequency: 'manual', ...settings } }) as Schedule;

test.each<[ScheduleSettings | object, ofIt: string, ofDefault: string, newObjects: [boolean, boolean]]>([
  // Everything: comes on top of the default schedule.
  [{}, 'orders users logs tags', 'orders users logs tags', [true, true]],
  [{ schemas: ['users', 'off'] }, 'users', 'orders logs tags', [false, true]],
  [{ selective_mode: 'incrementalFields' }, 'orders users', 'logs tags', [false, true]],
  [{ selective_mode: 'nonincrementalFields' }, 'logs tags', 'orders users', [true, false]],
  [
    { selective_mode: 'incrementalFields', schemas: ['users', 'logs'] },
    'users',
    'orders logs tags',
    [false, true],
  ],
  // A resync takes nothing over.
  [{ schemas: ['users'], resync_mode: 'rebuild' }, 'users', 'orders users logs tags', [false, true]],
  [
    { selective_mode: 'nonincrementalFields', schemas: ['users'] },
    '',
    'orders users logs tags',
    [false, true],
  ],
])('additional %j is for %j and leaves %j to the default', (settings, ofIt, ofDefault, newObjects) => {
  const all = [schedule(true, {}), schedule(false, settings)] as const;
  const ids = (one: Schedule) => scheduledSchemas(one, all, schemas).map(({ id }) => id);
  expect([ids(all[1]).join(' '), ids(all[0]).join(' ')]).toEqual([ofIt, ofDefault]);
  expect([coversNewObjects(all[1], all), coversNewObjects(all[0], all)]).toEqual(newObjects);
});
