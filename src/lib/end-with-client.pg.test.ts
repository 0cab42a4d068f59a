import { expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { endWithClient } from './end-with-client.ts';

test('what a server does not know or cannot do is done without; any other error is told', async () => {
  await using database = await createDatabase();
  const replacing = (from: string, to: string) => ({
    query: (text: string) => database.query(text.replace(from, to)),
  });
  await endWithClient(database);
  await endWithClient(replacing('client_connection_check_interval', 'no_such_setting'));
  await endWithClient(replacing('500ms', '-5'));
  await expect(endWithClient(replacing('set', 'sett'))).rejects.toThrow('syntax error');
});
