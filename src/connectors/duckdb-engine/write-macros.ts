/** PostgreSQL's text form, as a field of COPY text, into DuckDB's values. */
export const writeMacros: readonly string[] = [
  // No text on the way has a NUL, so that one can stand for a backslash while the others are looked at.
  String.raw`create temp macro tm_unescape(x) as if(contains(x, '\'),
    replace(regexp_replace(
      replace(replace(replace(replace(replace(replace(replace(x, '\\', chr(0)),
        '\n', chr(10)), '\t', chr(9)), '\r', chr(13)), '\b', chr(8)), '\f', chr(12)), '\v', chr(11)),
      '(?s)\\(.)', '\1', 'g'), chr(0), '\'), x)`,

  // DuckDB would read "0044-03-15 BC" as the year 44.
  `create temp macro tm_to_date(x) as
    if(ends_with(x, ' BC'), left(x, length(x) - 3) || ' (BC)', x)::date`,
  `create temp macro tm_to_time_text(x) as
    if(ends_with(x, ' BC'), regexp_replace(left(x, length(x) - 3), ' ', ' (BC) '), x)`,
  `create temp macro tm_to_timestamp(x) as tm_to_time_text(x)::timestamp`,
  `create temp macro tm_to_timestamptz(x) as tm_to_time_text(x)::timestamptz`,

  // DuckDB's own cast knows neither "+3 days" nor "-1 years" nor long times.
  `create temp macro tm_number(x, pattern) as coalesce(nullif(regexp_extract(x, pattern, 1), ''), '0')`,
  String.raw`create temp macro tm_to_interval(x) as
    if(regexp_full_match(x, '([+-]?\d+ (years?|mons?|days?) ?)*([+-]?\d+:\d\d:\d\d(\.\d+)?)?'),
      to_months((tm_number(x, '(-?\d+) year')::bigint * 12 + tm_number(x, '(-?\d+) mon')::bigint)::integer)
      + to_days(tm_number(x, '(-?\d+) day')::integer)
      + to_microseconds(if(regexp_matches(x, '-\d+:'), -1, 1) * (
          tm_number(x, '(\d+):\d\d:')::hugeint * 3600000000 + tm_number(x, ':(\d\d):')::bigint * 60000000
          + tm_number(x, ':\d\d:(\d\d)')::bigint * 1000000
          + rpad(tm_number(x, ':\d\d:\d\d\.(\d+)'), 6, '0')::bigint)::bigint),
      x::interval)`,

  // With or without COPY's second backslash.
  String.raw`create temp macro tm_to_blob(x) as unhex(ltrim(x, '\')[2:])`,

  // The elements of a one-dimensional array, as PostgreSQL writes them.
  String.raw`create temp macro tm_elements(x) as list_transform(
    regexp_extract_all(regexp_replace(x, '^[^{]*\{|\}$', '', 'g'), '(?s)"(?:[^"\\]|\\.)*"|[^,]+'),
    lambda e: case when starts_with(e, '"') then regexp_replace(e[2:-2], '(?s)\\(.)', '\1', 'g')
      when upper(e) = 'NULL' then null else e end)`,
];
