import { parseRetryAfter } from '../lib/retry-after.ts';

/** What an HTTP answer says of the next try. */
export interface Passing {
  /** The server is there, and has too much to do. */
  busy: boolean;
  /** Milliseconds that it asks to be left alone, 0 when it does not say. */
  pause: number;
}

/** Whether the same request may well succeed later; undefined: it will not. The one rule for all who speak HTTP. */
export function passing(
  { status, headers }: { status: number; headers: Readonly<Record<string, string>> },
  now = Date.now(),
): Passing | undefined {
  if (status !== 408 && status !== 425 && status !== 429 && status < 500) return undefined;
  const pause = parseRetryAfter(headers, now);
  return { busy: status === 429 || status === 503 || pause > 0, pause };
}
