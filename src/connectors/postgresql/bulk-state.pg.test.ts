import { expect, test } from 'vitest';
import { connectTo } from '../../../test/support/bulk-pair.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { ensureState } from './bulk-state.ts';

test('tables that begin at the same moment all find their namespace and its state table', async () => {
  const database = await testDatabase();
  const connect = connectTo(database);
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect('test')));
  try {
    for (let round = 0; round < 40; round++) {
      const schema = `odd "name" ${round}`;
      const all = await Promise.allSettled(clients.map((client) => ensureState(client, schema)));
      expect(all.filter(({ status }) => status === 'rejected')).toEqual([]);
    }
    expect(
      await database.query(
        `select count(*) from pg_class where relname = '_tidemark_state' and relkind = 'r'`,
      ),
    ).toEqual([{ count: '40' }]);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
});
