import { eventTypes, isEventType } from '../../events/index.ts';
import { didYouMean } from '../../lib/near-name.ts';
import { isTimestamp } from '../../lib/timestamp.ts';
import { UsageError } from '../command.ts';

/** What every command takes that posts events to an endpoint of its caller's. */
export const forwardOptions = {
  'forward-to': { takes: 'url', text: 'The endpoint that is posted to.' },
  secret: {
    takes: 'secret',
    text: 'Signs with this secret. Set TIDEMARK_WEBHOOK_SECRET instead to keep it out of the list of processes.',
  },
} as const;

/** @throws UsageError for one that does not exist. */
export function checkTypes(types: readonly string[]): void {
  const unknown = types.find((type) => !isEventType(type));
  if (unknown === undefined) return;
  throw new UsageError(`${unknown} is none of ${eventTypes.join(', ')}.${didYouMean(unknown, eventTypes)}`);
}

/** @throws UsageError for what is no http:// or https:// URL. */
export function checkUrl(option: string, text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new UsageError(`${option}: takes an http:// or https:// URL`);
}

/** @throws UsageError for what is no RFC 3339 time. */
export function checkTime(option: string, text: string | undefined): void {
  if (text === undefined || isTimestamp(text)) return;
  throw new UsageError(`${option}: ${text} is no RFC 3339 time, such as 2026-11-30T08:00:00Z`);
}
