import { invalidField } from '../errors.ts';
import { nextMatch, nextTime, shortNames } from './next-time.ts';
import type { Frequency, Part, Timing } from './schedule.ts';

/** The parts of a time, in the order of a cron pattern. */
const parts = {
  minute: { range: [0, 59], takes: '0 to 59' },
  hour: { range: [0, 23], takes: '0 to 23, in UTC' },
  day_of_month: { range: [1, 31], takes: '1 to 31, or L for the last' },
  month: { range: [1, 12], takes: '1 to 12, or a name such as "january"' },
  day_of_week: { range: [0, 7], takes: 'a name such as "monday", or 0 (sunday) to 6' },
} as const satisfies Record<Part, { range: readonly [number, number]; takes: string }>;
const names = Object.keys(parts) as Part[];

/** Which parts a frequency reads, and which of them it needs. */
const reads: Record<Frequency, { parts: readonly Part[]; needs: readonly Part[] }> = {
  manual: { parts: [], needs: [] },
  continuous: { parts: [], needs: [] },
  runafter: { parts: [], needs: [] },
  hourly: { parts: ['minute'], needs: [] },
  daily: { parts: ['minute', 'hour'], needs: [] },
  weekly: { parts: ['minute', 'hour', 'day_of_week'], needs: ['day_of_week'] },
  custom: { parts: names, needs: ['minute', 'hour'] },
  builder: { parts: names, needs: ['minute', 'hour'] },
};

/** What a request says of a time: nothing, null and empty text are the same. */
export type TimingRequest = { frequency?: string | null } & { [P in Part]?: string | null | undefined };

/** The members of a time that say when. */
export function readParts(timing: Timing): Timing {
  const read = reads[timing.frequency].parts.filter((part) => timing[part]);
  return Object.assign({ frequency: timing.frequency }, ...read.map((part) => ({ [part]: timing[part] })));
}

/**
 * Checks the time of a schedule. Parts that its frequency does not read stay as they were sent, unchecked: whoever reads
 * them back and compares, as Terraform does, takes another wording for a change.
 *
 * @param field the name of a member as the request has it, e.g. `default_schedule.hour`.
 * @param allowed the frequencies beside those of the clock.
 * @throws invalid_field
 */
export function checkTiming(
  request: TimingRequest,
  field: (member: Part | 'frequency') => string,
  allowed: readonly 'runafter'[] = [],
): Timing {
  const frequency = checkFrequency(request.frequency || 'manual', allowed, field('frequency'));
  const timing: Timing = { frequency };
  const cron = frequency === 'custom' || frequency === 'builder';
  for (const part of names) {
    const sent = request[part] ?? undefined;
    const value = sent?.trim();
    const read = reads[frequency].parts.includes(part);
    if (sent !== undefined) timing[part] = read ? (value ?? '') : sent;
    if (value && read) {
      const reason = cron ? cronFault(part, value) : plainFault(part, value);
      if (reason !== undefined) throw invalidField(field(part), reason);
    } else if (reads[frequency].needs.includes(part)) {
      throw invalidField(
        field(part),
        `is needed for ${frequency}: ${parts[part].takes}${cron ? ', or "*"' : ''}`,
      );
    }
  }
  if (cron && nextTime(timing, new Date()) === null) {
    throw invalidField(field('day_of_month'), 'never comes: the months that are asked for have no such day');
  }
  return timing;
}

function checkFrequency(frequency: string, allowed: readonly string[], field: string): Frequency {
  if (frequency === 'multi') {
    throw invalidField(field, 'multi is not supported: use additional_schedules of version 2025-09-18');
  }
  if (frequency === 'dbtcloud') {
    throw invalidField(field, 'dbtcloud is not supported: let the dbt job start the sync through the API');
  }
  if (frequency === 'runafter' && !allowed.includes(frequency)) {
    throw invalidField(
      field,
      'runafter is for model syncs: start the bulk sync by a time, or through the API',
    );
  }
  // The shape of requests names the frequencies, so that no other gets here.
  return frequency as Frequency;
}

function plainFault(part: Part, value: string): string | undefined {
  const { range, takes } = parts[part];
  const number = /^\d{1,2}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= range[0] && number <= range[1]) return undefined;
  if (part === 'day_of_week' && /^[a-z]+$/i.test(value) && parses(part, value)) return undefined;
  return `${JSON.stringify(value)} is none: it takes ${takes}`;
}

function cronFault(part: Part, value: string): string | undefined {
  // What else the parser knows (`?`, `+`) is not what it is elsewhere; a space would begin the next field.
  if (/^[\w*,\-/#]+$/.test(value) && parses(part, value)) return undefined;
  return `${JSON.stringify(value)} is no field of a cron pattern: it takes ${parts[part].takes}; *, lists (1,15), ranges (1-5) and steps (*/15)`;
}

function parses(part: Part, value: string): boolean {
  const pattern = names.map((name) => (name === part ? shortNames(value) : '*')).join(' ');
  try {
    nextMatch(pattern, new Date());
    return true;
  } catch {
    return false;
  }
}
