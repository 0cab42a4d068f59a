import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { duckdbTarget, type ModelTarget, mariadbTarget } from '../../test/support/model-targets.ts';

describeMariadb('identities that cannot be compared as they are', () => {
  let world: ModelSyncs;
  let mysql: ModelTarget;
  let duckdb: ModelTarget;

  beforeAll(async () => {
    world = await startModelSyncs();
    [mysql, duckdb] = [await mariadbTarget(world), await duckdbTarget(world)];
  });
  afterAll(async () => {
    for (const one of [mysql, duckdb, world]) await one?.[Symbol.asyncDispose]();
  });

  const nul = { mysql: `'a\\0b'`, duckdb: `'a' || chr(0) || 'b'` };

  const syncOf = async (source: ModelTarget, table: string, target: ModelTarget) =>
    world.createSync({
      model: await world.createModel({ table: source.object(table) }, 'id', {
        connection_id: source.connectionId,
      }),
      connectionId: target.connectionId,
      object: target.object('arrived'),
      identity: ['id', 'id'],
      fields: ['v'],
    });

  test.each([
    ['mysql', 'mysql'],
    ['duckdb', 'mysql'],
  ] as const)(
    'one with NUL, from %s to %s, is an error each time, and no other record’s',
    async (from, to) => {
      const [source, target] = [from, to].map((kind) => (kind === 'mysql' ? mysql : duckdb)) as [
        ModelTarget,
        ModelTarget,
      ];
      await source.query(`drop table if exists people; create table people (id varchar(9), v varchar(9));
      insert into people values (${nul[from]}, 'one'), ('ab', 'two'), ('c', ${nul[from]})`);
      await target.query(`drop table if exists arrived;
      create table arrived (id varchar(9) primary key, v varchar(9))`);
      const sync = await syncOf(source, 'people', target);
      const error = {
        identity: { id: 'a\\u0000b' },
        reason: 'the identity has the character U+0000, which cannot be compared',
      };
      for (const [v, sent] of [
        ['two', 2],
        ['three', 1],
      ] as const) {
        await source.query(`update people set v = '${v}' where id <> 'c'`);
        const { id, counts } = await world.execute(sync);
        expect(counts).toMatchObject({ total: sent + 1, error: 1 });
        expect(await world.log(id, 'errors')).toEqual([error]);
        expect(await target.query('select * from arrived order by id')).toEqual([
          { id: 'ab', v },
          { id: 'c', v: 'ab' },
        ]);
      }
    },
  );

  test('one of a DuckDB file that has more digits than can be read is an error', async () => {
    await duckdb.query(`drop table if exists moments; create table moments (id timestamp_ns, v varchar);
      insert into moments values ('2024-01-31 12:00:00.123456789', 'one'), ('2024-01-31 12:00:00', 'two')`);
    await mysql.query(
      'drop table if exists arrived; create table arrived (id varchar(40) primary key, v text)',
    );
    const sync = await syncOf(duckdb, 'moments', mysql);
    const { id, counts } = await world.execute(sync);
    expect(counts).toMatchObject({ total: 2, insert: 1, error: 1 });
    expect(await world.log(id, 'errors')).toEqual([
      {
        identity: { id: '2024-01-31 12:00:00.123456' },
        reason: 'the identity cannot be read as it is (nanoseconds_dropped)',
      },
    ]);
  });

  test('one of a file, where NULs are left out while it is read, is found again', async () => {
    let v = 'one';
    const server = createServer((_, response) => response.end(`id,v\na\0b,${v}\n`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const connectionId = await world.connect('csv', { url: `http://127.0.0.1:${port}/people.csv` });
    await mysql.query(
      'drop table if exists arrived; create table arrived (id varchar(9) primary key, v text)',
    );
    const sync = await world.createSync({
      model: await world.createModel({}, 'id', { connection_id: connectionId }),
      connectionId: mysql.connectionId,
      object: mysql.object('arrived'),
      identity: ['id', 'id'],
      fields: ['v'],
    });
    for (v of ['one', 'two']) {
      await world.execute(sync);
      expect(await mysql.query('select * from arrived')).toEqual([{ id: 'ab', v }]);
    }
    server.close();
  });
});
