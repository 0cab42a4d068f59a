import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../test/support/database.ts';
import {
  expressions,
  fieldsOf,
  matches,
  type Row,
  sampleRows,
  trickyWords,
} from '../../test/support/filters.ts';
import { describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';
import type { Dialect } from './dialect.ts';
import { compile, duckdb, type FilterField, type FixedExpression, mysql, postgresql } from './index.ts';

interface Database {
  dialect: Dialect;
  fields: FilterField[];
  /** Statements that make a session read literals in another way. */
  sessions: string[];
  run(statement: string): Promise<unknown>;
  /** Puts the rows into table t. */
  fill(rows: readonly Row[]): Promise<void>;
  /** Ids of the rows of t for which the condition is true, in order. */
  select(condition: string): Promise<number[]>;
}

const rows = sampleRows(200);

function describeFilters(open: () => Promise<Database>): void {
  test('random expressions select what the documentation says', async () => {
    const database = await open();
    await database.fill(rows);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(expressions(database.fields), async (expression) => {
        const session = database.sessions[run++ % database.sessions.length];
        if (session !== undefined) await database.run(session);
        const sql = compile(expression as FixedExpression, database.fields, database.dialect);
        const wanted = rows.filter((row) => matches(expression, row)).map(({ id }) => id);
        expect([sql, await database.select(sql)]).toEqual([sql, wanted]);
      }),
      { numRuns: 150 },
    );
  });

  test('wildcards, escapes and white space mean themselves where they should', async () => {
    const database = await open();
    const [first] = rows;
    const held = trickyWords.map((word, id) => ({ ...(first as Row), id, word }));
    await database.fill(held);
    const functions = [
      'StringLike',
      'StringContains',
      'StringStartsWith',
      'StringEndsWith',
      'StringMatchesTrimmed',
      'Equality',
      'LessThan',
    ] as const;
    for (const name of functions) {
      for (const value of trickyWords.filter((word) => name !== 'StringLike' || word !== '\\')) {
        const condition = { field: 'word', function: name, value };
        const found = await database.select(compile(condition, database.fields, database.dialect));
        const wanted = held.filter((row) => matches(condition, row)).map(({ id }) => id);
        expect([name, value, found]).toEqual([name, value, wanted]);
      }
    }
  });

  test('NULL: negative functions and NOT keep it, nothing else does', async () => {
    const database = await open();
    const [first] = rows;
    await database.fill([{ ...(first as Row), word: null }]);
    const select = (expression: FixedExpression) =>
      database.select(compile(expression, database.fields, database.dialect));
    const on = (name: string, value: unknown = 'x') =>
      ({ field: 'word', function: name, value }) as FixedExpression;
    for (const [name, value] of [
      ['Inequality'],
      ['StringDoesNotContain'],
      ['StringDoesNotStartWith'],
      ['StringDoesNotEndWith'],
      ['StringNotOneOf', ['x']],
      ['StringNotLike'],
    ] as const) {
      expect([name, await select(on(name, value))]).toEqual([name, [0]]);
      expect([name, await select({ not: on(name, value) })]).toEqual([name, []]);
    }
    for (const name of [
      'Equality',
      'GreaterThan',
      'LessThan',
      'StringContains',
      'StringLike',
      'StringMatchesTrimmed',
    ]) {
      expect([name, await select(on(name))]).toEqual([name, []]);
      expect([name, await select({ not: on(name) })]).toEqual([name, [0]]);
    }
  });

  test('no value and no name gets out of its quotes', async () => {
    const database = await open();
    const evil = [
      `'; drop table t; --`,
      `\\'; drop table t; --`,
      `"; drop table t; --`,
      '`; drop table t; --',
      `' or '1'='1`,
      `\\' or 1=1 --`,
      '!',
      `!'`,
      '$$',
      `$1 ' || 1`,
      ':name',
      '?',
      '/*',
      '\u00a5',
      '\u02bc',
      '%',
      '{}',
      '{"',
    ];
    const names = evil.filter((name) => name !== '').map((name) => name.slice(0, 60));
    const fields = names.map((name): FilterField => ({ name, type: 'string', remoteType: 'text' }));
    const quoted = names.map((name) => database.dialect.identifier(name));
    await database.run(
      `create table t (id integer, ${quoted.map((name) => `${name} ${'text'}`).join(', ')})`,
    );
    await database.run(`insert into t (id) values (1)`);
    const strings = [
      'Equality',
      'GreaterThan',
      'StringContains',
      'StringStartsWith',
      'StringEndsWith',
      'StringMatchesTrimmed',
    ];
    for (const session of database.sessions) {
      await database.run(session);
      for (const [index, name] of names.entries()) {
        const value = evil[(index + 1) % evil.length] ?? '';
        const conditions = strings.map((one) => ({ field: name, function: one, value }) as FixedExpression);
        conditions.push({ field: name, function: 'StringOneOf', value: [...evil] });
        conditions.push({ field: name, function: 'StringLike', value: value.replaceAll('\\', '\\\\') });
        const sql = compile({ or: conditions }, fields, database.dialect);
        expect([name, await database.select(sql)]).toEqual([name, []]);
        expect([
          name,
          await database.select(compile({ not: { or: conditions } }, fields, database.dialect)),
        ]).toEqual([name, [1]]);
      }
    }
  });
}

describe('PostgreSQL', () => {
  describeFilters(async () => {
    const { url } = await testDatabase();
    const client = new pg.Client(url);
    await client.connect();
    onTestFinished(() => client.end());
    return {
      dialect: postgresql,
      fields: fieldsOf({
        word: 'text',
        small: 'integer',
        large: 'bigint',
        price: 'numeric(20,4)',
        ratio: 'real',
        done: 'boolean',
        moment: 'timestamp with time zone',
        day: 'date',
        tags: 'text[]',
        counts: 'integer[]',
      }),
      sessions: [
        'set standard_conforming_strings = on',
        'set standard_conforming_strings = off; set escape_string_warning = off',
        "set timezone = 'Asia/Tokyo'",
      ],
      run: (statement) => client.query(statement),
      async fill(rows) {
        await client.query(`set timezone = 'UTC'; create table t (id integer, word text collate "und-x-icu", small integer, large bigint, price numeric(20,4), ratio real,
          done boolean, moment timestamptz, day date, tags text[], counts integer[])`);
        await client.query('insert into t select * from json_populate_recordset(null::t, $1::json)', [
          JSON.stringify(rows),
        ]);
      },
      async select(condition) {
        const { rows } = await client.query<{ id: number }>(
          `select id from t where ${condition} order by id`,
        );
        return rows.map(({ id }) => id);
      },
    };
  });
});

describe('DuckDB', () => {
  describeFilters(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    onTestFinished(() => connection.closeSync());
    return {
      dialect: duckdb,
      fields: fieldsOf({
        word: 'VARCHAR',
        small: 'INTEGER',
        large: 'BIGINT',
        price: 'DECIMAL(20,4)',
        ratio: 'FLOAT',
        done: 'BOOLEAN',
        moment: 'TIMESTAMP',
        day: 'DATE',
        tags: 'VARCHAR[]',
        counts: 'INTEGER[]',
      }),
      sessions: ['select 1'],
      run: (statement) => connection.run(statement),
      async fill(rows) {
        await connection.run(`create table t (id integer, word varchar, small integer, large bigint, price decimal(20,4), ratio float,
          done boolean, moment timestamp, day date, tags varchar[], counts integer[])`);
        for (const row of rows) {
          const { id, word, small, large, price, ratio, done, moment, day, tags, counts } = row;
          await connection.run(
            'insert into t values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json::varchar[], $11::json::integer[])',
            [
              id,
              word,
              small,
              large,
              price,
              ratio,
              done,
              moment,
              day,
              tags && JSON.stringify(tags),
              counts && JSON.stringify(counts),
            ],
          );
        }
      },
      async select(condition) {
        const reader = await connection.runAndReadAll(`select id from t where ${condition} order by id`);
        return reader.getRowsJS().map(([id]) => Number(id));
      },
    };
  });
});

describeMariadb('MariaDB', () => {
  describeFilters(async () => {
    const database = await mariadbDatabase();
    return {
      dialect: mysql,
      fields: fieldsOf({
        word: 'varchar(20)',
        small: 'int(11)',
        large: 'bigint(20)',
        price: 'decimal(20,4)',
        ratio: 'float',
        done: 'tinyint(1)',
        moment: 'datetime(6)',
        day: 'date',
      }),
      sessions: ["set sql_mode = 'ANSI'", "set sql_mode = 'NO_BACKSLASH_ESCAPES'"],
      run: (statement) => database.query(statement),
      async fill(rows) {
        await database.query(`create table t (id int, word varchar(20), small int, large bigint, price decimal(20,4), ratio float,
          done tinyint(1), moment datetime(6), day date)`);
        await database.query('insert into t values ?', [
          rows.map(({ id, word, small, large, price, ratio, done, moment, day }) => [
            id,
            word,
            small,
            large,
            price,
            ratio,
            done === null ? null : done === 'true',
            moment,
            day,
          ]),
        ]);
      },
      async select(condition) {
        const found = await database.query<{ id: number }>(`select id from t where ${condition} order by id`);
        return found.map(({ id }) => id);
      },
    };
  });
});
