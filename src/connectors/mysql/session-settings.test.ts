import type { Connection } from 'mysql2/promise';
import { expect, test } from 'vitest';
import { settle } from './session-settings.ts';

/** A session whose server has some variables, and refuses or ignores what is set of others. */
function session(variables: Record<string, string>, refused: readonly string[], ignored: readonly string[]) {
  const query = async (sql: string) => {
    if (sql.startsWith('show'))
      return [Object.entries(variables).map(([name, value]) => ({ Variable_name: name, Value: value }))];
    const named = refused.find((name) => sql.includes(`session ${name} `));
    if (named !== undefined) {
      const error = new Error(`Access denied; you need SESSION_VARIABLES_ADMIN to set ${named}`);
      throw Object.assign(error, { errno: 1227, sqlState: '42000' });
    }
    for (const [, name = '', value = ''] of sql.matchAll(/session (\w+) = '?([^',]*(?:,[A-Z_]+)*)'?/g)) {
      if (name in variables && !ignored.includes(name)) variables[name] = value;
    }
    return [[]];
  };
  return { query } as unknown as Connection;
}

test('what changes no value may stay as the server or a proxy has it', async () => {
  const variables = {
    sql_select_limit: '100',
    wait_timeout: '28800',
    innodb_strict_mode: 'OFF',
    transaction_isolation: 'READ-COMMITTED',
  };
  await settle(session(variables, ['innodb_strict_mode'], ['wait_timeout']), 0);
  expect(variables).toEqual({
    sql_select_limit: '18446744073709551615',
    wait_timeout: '28800',
    innodb_strict_mode: 'OFF',
    transaction_isolation: 'REPEATABLE-READ',
  });
});

test('what changes values and cannot be set is an error that names it, whether it is refused or ignored', async () => {
  for (const [refused, ignored] of [
    [['sql_select_limit'], []],
    [[], ['sql_select_limit']],
  ] as const) {
    const variables = { sql_select_limit: '100', sql_safe_updates: 'ON', wait_timeout: '1' };
    await expect(settle(session(variables, refused, ignored), 0)).rejects.toThrow(
      'sql_select_limit is 100 where 18446744073709551615 was set; ',
    );
    expect(variables).toMatchObject({ sql_safe_updates: 'OFF', wait_timeout: '86400' });
  }
});
