import { expect, onTestFinished, test } from 'vitest';
import { loopback } from '../../../test/support/egress.ts';
import { createMariadbDatabase, describeMariadb } from '../../../test/support/mariadb.ts';
import { mysql } from './index.ts';

const invalid = { key: 'invalid_query', status: 400 };

describeMariadb('a model’s query', () => {
  test('can only read, and only for a while', async () => {
    await using database = await createMariadbDatabase();
    await database.query(`create table untouched (id int); insert into untouched values (1);
      create sequence numbers;
      create function writes() returns int modifies sql data begin insert into untouched values (2); return 1; end`);
    const session = mysql.open(database.configuration, { egress: loopback, lookTimeout: 500 });
    onTestFinished(() => session.close());
    const { modelSource } = session;
    for (const query of [
      'delete from untouched returning *',
      'select 1; delete from untouched',
      'select 1) as model limit 0; delete from untouched; select * from (select 1',
      "select 1 into outfile '/tmp/made'",
      'select 1 into @made',
      'call writes()',
      'commit',
    ]) {
      await expect(modelSource?.fields({ query }), query).rejects.toMatchObject(invalid);
    }
    for (const query of ['select writes() as a', 'select nextval(numbers) as a', 'select sleep(60) as a']) {
      await expect(modelSource?.sample({ query }, ['a'], 1), query).rejects.toMatchObject(invalid);
    }
    await expect(modelSource?.sample({ query: 'select sleep(60) as a' }, ['a'], 1)).rejects.toThrow(
      'it takes longer than 0.5 seconds',
    );
    expect(
      await database.query('select id, (select next_not_cached_value from numbers) as n from untouched'),
    ).toEqual([{ id: 1, n: '1' }]);
  });

  test.each([250, 251, 1000])('may have %i columns', async (count) => {
    await using database = await createMariadbDatabase();
    const { modelSource } = mysql.open(database.configuration, { egress: loopback });
    const fields = Array.from({ length: count - 2 }, (_, index) => `c${index}`);
    const query = `select 1 as id, ${fields.map((name, index) => `${index} as ${name}`).join(', ')}`;
    const read = modelSource?.records({ configuration: { query }, identity: 'id', fields }) ?? [];
    const [records] = await Array.fromAsync(read);
    expect(records?.map(({ key, values }) => [key, values])).toEqual([
      ['1', fields.map((_, index) => String(index))],
    ]);
  });
});
