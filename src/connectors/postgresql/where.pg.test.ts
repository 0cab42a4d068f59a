import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../../test/support/database.ts';
import type { FilterField, FixedExpression } from '../../conditions/index.ts';
import { whereClause } from './where.ts';

const fields: FilterField[] = [
  { name: 'id', type: 'number', remoteType: 'integer' },
  { name: 'mood', type: 'string', remoteType: 'mood' },
  { name: 'spot', type: 'string', remoteType: 'point' },
  { name: 'gone', type: 'string', remoteType: 'text' },
];
const on = (field: string, value: string) => ({ field, function: 'Equality', value }) as const;

test('what only the server knows is asked of it, and refused by the name of the field', async () => {
  const { url } = await testDatabase();
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(
    "create type mood as enum ('sad', 'happy'); create table t (id int, mood mood, spot point); insert into t values (1, 'sad', '(0,0)')",
  );
  const where = (filter: FixedExpression | undefined) => whereClause(client, 't', fields, filter);

  expect(await where(undefined)).toBe('');
  const clause = await where({ and: [on('id', '1'), { not: on('mood', 'happy') }] });
  expect((await client.query(`select from t${clause}`)).rowCount).toBe(1);

  const refusals = [
    [on('mood', 'angry'), 'filter on mood: invalid input value for enum mood: "angry"'],
    [on('spot', '(0,0)'), 'filter on spot: operator does not exist: point = unknown'],
    [on('gone', 'x'), 'filter on gone: column "gone" does not exist'],
    [on('id', 'x'), 'filter on id: "x" is no number, as integer needs'],
  ] as const;
  for (const [condition, message] of refusals) {
    const refused = where({ or: [on('id', '1'), { not: condition }] });
    await expect(refused).rejects.toMatchObject({
      key: 'invalid_field',
      message: expect.stringContaining(message),
    });
  }
  await client.end();
  await expect(where(on('id', '1'))).rejects.not.toMatchObject({ key: 'invalid_field' });
});
