import { expect, test } from 'vitest';
import { describeMariadb, mariadbDatabase } from '../../../test/support/mariadb.ts';
import { createEgress } from '../../egress/index.ts';
import { BatchRefused } from '../contract.ts';
import { mysql } from './index.ts';

/** Columns of the target, and what they make of a value from PostgreSQL. */
const cases: [column: string, type: string, value: string, text: string | null][] = [
  ['tinyint(1)', 'boolean', 't', '1'],
  ['varchar(5)', 'boolean', 't', 't'],
  ['bigint unsigned', 'numeric', '18446744073709551615', '18446744073709551615'],
  [
    'decimal(40,10)',
    'numeric',
    '123456789012345678901234567890.0123456789',
    '123456789012345678901234567890.0123456789',
  ],
  [
    'datetime(6)',
    'timestamp with time zone',
    '2024-02-29 23:59:59.999999+05:30',
    '2024-02-29 18:29:59.999999',
  ],
  [
    'timestamp(6) null',
    'timestamp without time zone',
    '2024-02-29 23:59:59.000001',
    '2024-02-29 23:59:59.000001',
  ],
  ['varbinary(9)', 'bytea', '\\x00ff5c27', '00FF5C27'],
  ['varchar(40)', 'text', `it's \\ a "tab\t" 🌊\0`, `it's \\ a "tab\t" 🌊\0`],
  ['json', 'jsonb', '{"a": 18014398509481982123}', '{"a": 18014398509481982123}'],
  ['bit(4)', 'bit(4)', '1010', 'A'],
];
const fieldTypes: Record<string, string> = { boolean: 'boolean', bytea: 'binary', numeric: 'number' };

describeMariadb('models written to MariaDB', () => {
  test('every value arrives exactly; what a column cannot hold is refused', async () => {
    const database = await mariadbDatabase();
    await database.query(
      `set time_zone = '+00:00'; create table t (id varchar(20) primary key, ${cases.map(([column], index) => `c${index} ${column}`).join(', ')})`,
    );
    const egress = createEgress({ allow: ['127.0.0.0/8'] });
    const session = mysql.open(database.configuration, { egress });
    try {
      const fields = cases.map(([, type], index) => ({
        source: {
          name: `c${index}`,
          type: (fieldTypes[type] ?? 'string') as 'string',
          remoteType: type,
          nullable: true,
        },
        target: `c${index}`,
        createOnly: false,
      }));
      const writer = await session.modelDestination?.writer({
        sync: { id: crypto.randomUUID(), name: 'values' },
        object: `${database.name}.t`,
        configuration: {},
        mode: 'updateOrCreate',
        identity: 'id',
        fields,
      });
      const values = cases.map(([, , value]) => value);
      const write = (key: string, list: (string | null)[]) =>
        writer?.write([{ key, hash: '1', values: list }], async () => {});
      expect(await write('a', values)).toEqual([{ status: 'inserted' }]);
      expect(await write('a', values)).toEqual([{ status: 'updated' }]);
      const list = cases.map(([column], index) =>
        /binary|bit/.test(column) ? `hex(c${index})` : `cast(c${index} as char)`,
      );
      const [row] = await database.query(
        `select ${list.map((sql, index) => `${sql} as c${index}`).join(', ')} from t`,
      );
      expect(Object.values(row ?? {})).toEqual(cases.map(([, , , text]) => text));
      const refused = async (index: number, value: string) => {
        const others = values.map((one, at) => (at === index ? value : one));
        await expect(write('b', others)).rejects.toThrow(BatchRefused);
      };
      const long = await write('b', values.with(1, 'longer than five'));
      expect(long).toMatchObject([{ status: 'refused', reason: expect.stringMatching(/^c1: /) }]);
      await refused(2, '-1');
      const infinite = await write('b', values.with(4, 'infinity'));
      expect(infinite).toMatchObject([{ status: 'refused', reason: expect.stringMatching(/^c4: /) }]);
      await refused(8, '{');
      expect(await database.query('select id from t')).toEqual([{ id: 'a' }]);
    } finally {
      await session.close();
      await egress.close();
    }
  });
});
