import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { createMariadbDatabase, describeMariadb } from '../../test/support/mariadb.ts';
import { startModelSyncs } from '../../test/support/model-syncs.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import type { KeyAndHash } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Model } from './model.ts';
import { openModelSource } from './open.ts';
import type { RecordQuery } from './record-source.ts';

const documents = [
  '{"n":9007199254740993,"list":[{"s":"a\\tb"},true],"o":{"x":1.10}}',
  '{"n":-0.5,"list":[],"o":null}',
];
const additional_fields = [
  { name: 'doc.n', label: 'n', type: 'number' },
  { name: 'doc.list[0].s', label: 's', type: 'string' },
  { name: 'doc.o', label: 'o', type: 'object' },
];

/** Whatever the source is, each record is the same by keys and by records, and every digit arrives. */
async function check(model: Model, deps: Parameters<typeof openModelSource>[0]): Promise<void> {
  await using source = await openModelSource(deps, model);
  const values = await source.sample(['id', 'doc.n', 'doc.list[0].s', 'doc.o'], 5);
  expect(values.sort()).toEqual([
    ['1', '9007199254740993', 'a\tb', expect.stringMatching(/^\{"x": ?1\.10\}$/)],
    ['2', '-0.5', null, null],
  ]);
  const above = { field: 'doc.n', function: 'GreaterThan', value: 0 } as const;
  const queries: RecordQuery[] = [
    { fields: ['id', 'doc.o', 'doc.n'], identity: 'doc.n' },
    { fields: ['doc.list[0].s'] },
    { fields: ['id'], hashed: ['doc.n'], identity: 'id' },
    {
      fields: ['doc.n'],
      identity: 'id',
      filter: { and: [above, { field: 'id', function: 'LessThan', value: 2 }] },
    },
  ];
  for (const query of queries) {
    const records = (await Array.fromAsync(source.records(query))).flat();
    const keys = (await Array.fromAsync(source.keys(query))).flat();
    // A source may give them in another order each time.
    const told = (list: KeyAndHash[]) => list.map(({ key, hash }) => `${key} ${hash}`).sort();
    expect(told(keys)).toEqual(told(records));
    expect(records).toHaveLength(query.filter === undefined ? 2 : 1);
    const [first] = records;
    const asked = (await Array.fromAsync(source.records(query, [first?.key ?? '', 'none']))).flat();
    expect(asked).toEqual([first]);
  }
}

describeMariadb('additional fields', () => {
  test('are the same over json of PostgreSQL, MariaDB, DuckDB and text of a file', async () => {
    await using world = await startModelSyncs();
    await using mariadb = await createMariadbDatabase();
    const file = await startReceiver();
    onTestFinished(() => file.close());
    const rows = documents.map((document, index) => `(${index + 1}, '${document.replaceAll('\\', '\\\\')}')`);
    const plain = documents.map((document, index) => `(${index + 1}, '${document}')`);
    await world.source.query(
      `create table docs (id int, doc json); insert into docs values ${plain.join(', ')}`,
    );
    await mariadb.query(`create table docs (id int, doc json); insert into docs values ${rows.join(', ')}`);
    const database = path.join(world.duckdbDir, world.organizationId, 'x.duckdb');
    await queryDuckDB(
      database,
      `create table docs (id int, doc json); insert into docs values ${plain.join(', ')}`,
    );
    const lines = documents.map((document, index) => `${index + 1},"${document.replaceAll('"', '""')}"`);
    file.behave(() => ({ status: 200, body: `id,doc\n${lines.join('\n')}\n` }));
    const sources: [string, JsonObject][] = [
      [world.sourceId, { table: 'public.docs' }],
      [await world.connect('mysql', mariadb.configuration), { table: `${mariadb.name}.docs` }],
      [await world.connect('duckdb', { database: 'x.duckdb' }), { table: 'main.docs' }],
      [await world.connect('csv', { url: `${file.url}/docs.csv` }), { table: 'docs' }],
    ];
    for (const [connection_id, configuration] of sources) {
      await check(
        await world.createModel(configuration, 'id', { connection_id, additional_fields }),
        world.deps,
      );
    }
  });
});
