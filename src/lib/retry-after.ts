/**
 * Milliseconds that a response's Retry-After asks for: seconds or an HTTP date. 0 when it says neither. A date is meant
 * by the clock that the same response tells in its Date.
 */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, now: number): number {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text) * 1000;
  const date = httpDate(text, now);
  return date === undefined ? 0 : Math.max(0, date - (httpDate(headers.date) ?? now));
}

/** In any of the three forms that HTTP has for it: RFC 1123's, RFC 850's with two digits of the year, and asctime's. */
function httpDate(text = '', now = Date.now()): number | undefined {
  const [, day850, month850, year850, time850] =
    /^[A-Za-z]{6,9}, (\d\d)-([A-Za-z]{3})-(\d\d) (\d\d:\d\d:\d\d) GMT$/.exec(text) ?? [];
  if (year850 !== undefined) {
    const century = new Date(now).getUTCFullYear() - 50;
    // Of the years that end so, the one that is not more than fifty years from now.
    const year = century + ((((Number(year850) - century) % 100) + 100) % 100);
    return known(Date.parse(`${day850} ${month850} ${year} ${time850} GMT`));
  }
  const [, month, day, time, year] =
    /^[A-Za-z]{3} ([A-Za-z]{3}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/.exec(text) ?? [];
  if (year !== undefined) return known(Date.parse(`${day} ${month} ${year} ${time} GMT`));
  return /^[A-Za-z]{3}, /.test(text) ? known(Date.parse(text)) : undefined;
}

function known(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}
