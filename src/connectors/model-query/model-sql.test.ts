import { expect, test } from 'vitest';
import { subquery, whereInQuery } from './model-sql.ts';
import { dialects } from './sql-tokens.ts';

const { postgresql, mysql, duckdb } = dialects;
const reason = (sql: string, dialect: (typeof dialects)[keyof typeof dialects] = postgresql) => {
  try {
    return subquery(sql, dialect);
  } catch (error) {
    return (error as Error).message.replace('The query failed: ', '');
  }
};

test.each([
  ['select 1; -- done', '(\nselect 1\n)'],
  ['select 1; /* x */', '(\nselect 1\n)'],
  ['select 1;;\n;', '(\nselect 1\n)'],
  [';; -- first\n select 1', '(\n   -- first\n select 1\n)'],
  ['/* a /* b */ ; */ select 1 -- it’s', '(\n/* a /* b */ ; */ select 1 -- it’s\n)'],
  [
    `select ';', e'\\';', "a;""b", $$;$$, $x$ $$; $x$ ;`,
    `(\nselect ';', e'\\';', "a;""b", $$;$$, $x$ $$; $x$ \n)`,
  ],
  ['select a::int, b[1:2], c ? d from t', '(\nselect a::int, b[1:2], c ? d from t\n)'],
  ['select "$1", a$1 from t', '(\nselect "$1", a$1 from t\n)'],
])('one statement: %j', (sql, text) => {
  expect(reason(sql)).toBe(text);
});

test.each([
  ['select 1; select 2', 'line 1, column 11: a second statement begins; a model reads with one'],
  ['select 1;\n-- c\n  drop table t;', 'line 3, column 3: a second statement begins; a model reads with one'],
  ['', 'the query is empty'],
  [' -- nothing', 'the query is empty'],
  ["select 'a", "line 1, column 8: what begins with 'a is not closed"],
  ['select 1 /* a /* b */', 'line 1, column 10: what begins with /* is not closed'],
  ['select $x$ a $$', 'line 1, column 8: what begins with $x is not closed'],
  ['select 1) as model, (select 2', 'line 1, column 9: ) closes nothing'],
  ['select (1', 'a ( is not closed'],
  [
    'select\n a, $1 from t',
    'line 2, column 5: $1 is a parameter, and a model’s query has none: write the value',
  ],
  ['select \0', 'line 1, column 8: a query cannot hold a NUL character'],
  [`select set_config('timezone', 'Asia/Tokyo', false)`, 'line 1, column 8: set_config does more than read'],
  [`select pg_catalog . "set_config" /* ( */ ('a')`, 'line 1, column 21: set_config does more than read'],
  ['select PG_Advisory_Lock(1)', 'line 1, column 8: pg_advisory_lock does more than read'],
])('refused with its place: %j', (sql, text) => {
  expect(reason(sql)).toBe(text);
});

test('each system has strings, names and comments of its own', () => {
  expect(reason(`select 'it\\'s;' # ;`, mysql)).toBe(`(\nselect 'it\\'s;' # ;\n)`);
  expect(reason('select `a``;`, "a;" --;\n 1', mysql)).toBe(
    'line 2, column 2: a second statement begins; a model reads with one',
  );
  expect(reason('select 1 /* a /* b */; -- end', mysql)).toBe('(\nselect 1 /* a /* b */\n)');
  expect(reason('select 1; /*! select 2 */', mysql)).toMatch(/second statement/);
  expect(reason('select ?', mysql)).toMatch(/^line 1, column 8: \? is a parameter/);
  expect(reason('select $name', duckdb)).toMatch(/^line 1, column 8: \$name is a parameter/);
});

test('a place in the subquery is one in the text', () => {
  const sql = 'select 🌊,\n  oops from t';
  const at = [...subquery(sql, postgresql)].join('').indexOf('oops') - 1;
  expect(whereInQuery(sql, at)).toBe('line 2, column 3');
  expect(whereInQuery(sql, 1_000)).toBe('at its end');
});
