/**
 * Milliseconds that a response's Retry-After asks for: seconds or an HTTP date. 0 when it says neither. A date is meant
 * by the clock that the same response tells in its Date.
 */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, now: number): number {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text) * 1000;
  const date = httpDate(text);
  return date === undefined ? 0 : Math.max(0, date - (httpDate(headers.date) ?? now));
}

function httpDate(text = ''): number | undefined {
  const time = /^[A-Za-z]{3}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
