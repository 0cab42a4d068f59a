import { expect, test } from 'vitest';
import { describeMariadb, mariadbDatabase } from './mariadb.ts';

describeMariadb('MariaDB for tests', () => {
  test('a database of its own, whose values come as text', async () => {
    const [one, other] = [await mariadbDatabase(), await mariadbDatabase()];
    await one.query('create table t (id bigint unsigned, d datetime(6))');
    await one.query('insert into t values (?, ?)', ['18446744073709551615', '2024-02-29 23:59:59.999999']);
    expect(await one.query('set @x = 1; select * from t')).toEqual([
      { id: '18446744073709551615', d: '2024-02-29 23:59:59.999999' },
    ]);
    expect(await other.query('show tables')).toEqual([]);
  });
});
