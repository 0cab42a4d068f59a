/**
 * DuckDB's values in PostgreSQL's text form. A NUL byte marks a field that had to change; `row-pipe.ts` takes the
 * marks out and counts them, which costs nothing where there are none.
 */
export const readMacros: readonly string[] = [
  // One search per character is cheaper than one regular expression.
  String.raw`create temp macro tm_escape(x) as case
    when contains(x, '\') or contains(x, chr(9)) or contains(x, chr(10)) or contains(x, chr(13))
    then replace(replace(replace(replace(x, '\', '\\'), chr(9), '\t'), chr(10), '\n'), chr(13), '\r')
    else x end`,
  // Of hundreds of columns DuckDB takes seconds to plan the other, which names its value nine times.
  String.raw`create temp macro tm_escape_plainly(x) as
    replace(replace(replace(replace(x, '\', '\\'), chr(9), '\t'), chr(10), '\n'), chr(13), '\r')`,

  `create temp macro tm_mantissa(digits) as
    if(length(digits) = 1, digits, digits[1] || '.' || digits[2:])`,
  `create temp macro tm_scientific(t) as
    if(starts_with(t, '-'), '-', '') || tm_mantissa(rtrim(replace(ltrim(t, '-'), '.', ''), '0'))
    || 'e+' || lpad((strpos(ltrim(t, '-') || '.', '.') - 2)::varchar, 2, '0')`,
  // The same digits as PostgreSQL's, but plain up to 1e16: PostgreSQL changes at 1e15, and at 1e6 for real.
  `create temp macro tm_float(x, digits, plain_below) as case
    when isnan(x) then 'NaN'
    when isinf(x) then if(x > 0, 'Infinity', '-Infinity')
    when abs(x) >= plain_below and abs(x) < 1e16 and not contains(digits, 'e') then tm_scientific(digits)
    when ends_with(digits, '.0') then left(digits, length(digits) - 2)
    else digits end`,
  `create temp macro tm_double(x) as tm_float(x, x::varchar, 1e15)`,
  // Where two shortest texts are equally near, DuckDB writes a longer one. PostgreSQL takes none that lies just
  // between this number and the next.
  `create temp macro tm_means(t, x) as
    (t::double * 1.000000000001)::float = x and (t::double * 0.999999999999)::float = x`,
  `create temp macro tm_real(x) as tm_float(x, case
    when abs(x) not between 100 and 1e16 then x::varchar
    when tm_means(printf('%.6g', x), x) then printf('%.6g', x)
    when tm_means(printf('%.7g', x), x) then printf('%.7g', x)
    when tm_means(printf('%.8g', x), x) then printf('%.8g', x)
    else printf('%.9g', x) end, 1e6)`,

  // DuckDB leaves the zero out before the point of a decimal without whole digits.
  `create temp macro tm_fraction(x) as
    if(starts_with(x::varchar, '-'), '-0' || ltrim(x::varchar, '-'), '0' || x::varchar)`,

  String.raw`create temp macro tm_date(x) as case
    when x between date '0001-01-01' and date '9999-12-31' or isinf(x) then x::varchar
    when x < '4714-11-24 (BC)'::date or x > date '5874897-12-31' then chr(0) || '\N'
    else replace(x::varchar, ' (BC)', ' BC') end`,
  String.raw`create temp macro tm_timestamp(x, zone) as case
    when x between timestamp '0001-01-01' and timestamp '9999-12-31' then x::varchar || zone
    when isinf(x) then x::varchar
    when x < '4714-11-24 (BC) 00:00:00'::timestamp then chr(0) || '\N'
    when x < timestamp '0001-01-01' then replace(x::varchar, ' (BC)', '') || zone || ' BC'
    else x::varchar || zone end`,
  // Without the calendar of time zones, which makes it ten times slower.
  `create temp macro tm_timestamptz(x) as
    if(isinf(x), x::varchar, tm_timestamp(make_timestamp(epoch_us(x)), '+00'))`,
  String.raw`create temp macro tm_timestamp_wide(x) as
    if(x is not null and try_cast(x as timestamp) is null, chr(0) || '\N', tm_timestamp(try_cast(x as timestamp), ''))`,
  `create temp macro tm_timestamp_ns(x) as if(isinf(x), x::varchar, if(epoch_ns(x) % 1000 = 0, '', chr(0)) ||
    tm_timestamp(make_timestamp((epoch_ns(x) - (epoch_ns(x) % 1000 + 1000) % 1000) // 1000), ''))`,
  `create temp macro tm_time_ns(x) as
    if(length(x::varchar) <= 15, x::varchar, chr(0) || rtrim(rtrim(left(x::varchar, 15), '0'), '.'))`,

  // PostgreSQL's "postgres" style: the sign before the time follows the part before it.
  `create temp macro tm_interval_parts(y, m, d, h, mi, us) as case
    when y = 0 and m = 0 and d = 0 and h = 0 and mi = 0 and us = 0 then '00:00:00' else concat_ws(' ',
    if(y <> 0, y || if(y = 1, ' year', ' years'), null), if(m <> 0, m || if(m = 1, ' mon', ' mons'), null),
    if(d <> 0, if(d > 0 and (m < 0 or y < 0), '+', '') || d || if(d = 1, ' day', ' days'), null),
    if(h <> 0 or mi <> 0 or us <> 0, case when h < 0 or mi < 0 or us < 0 then '-'
      when d < 0 or d = 0 and (m < 0 or y < 0) then '+' else '' end
      || if(abs(h) < 10, '0', '') || abs(h) || ':' || lpad(abs(mi)::varchar, 2, '0') || ':'
      || lpad((abs(us) // 1000000)::varchar, 2, '0')
      || if(us % 1000000 = 0, '', '.' || rtrim(lpad((abs(us) % 1000000)::varchar, 6, '0'), '0')), null)) end`,
  `create temp macro tm_interval(x) as if(x is null, null, tm_interval_parts(datepart('year', x),
    datepart('month', x), datepart('day', x), datepart('hour', x), datepart('minute', x), datepart('microsecond', x)))`,

  // An element of an array, quoted where PostgreSQL quotes it; of the plain ones only times have a space.
  String.raw`create temp macro tm_plain_element(x) as case when x is null then 'NULL'
    when x = chr(0) || '\N' then chr(0) || 'NULL' when contains(x, ' ') then '"' || x || '"' else x end`,
  String.raw`create temp macro tm_element(x) as case when x is null then 'NULL'
    when x = '' or lower(x) = 'null' or regexp_matches(x, '[\s\v"\\{},]')
    then '"' || replace(replace(x, '\', '\\'), '"', '\"') || '"' else x end`,
  `create temp macro tm_json_text(x) as coalesce(to_json(x)::varchar, 'null')`,
];
