import { expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { mariadbTarget } from '../../test/support/model-targets.ts';
import { byId, replaceCases, thing } from '../../test/support/replace-cases.ts';
import { until } from '../../test/support/until.ts';

describeMariadb('mode replace in MariaDB', () => {
  const replace = replaceCases(mariadbTarget);

  test('readers see the old rows or the new ones, and other writers wait', async () => {
    const { world, target, things, replacing } = replace;
    await target.query(`insert into things values (9, 'old', 'none');
      create trigger wait_here before insert on things for each row set @got = get_lock('here', 60)`);
    await target.query(`select get_lock('here', 0)`);
    const running = world.execute(await replacing(byId));
    const waiting = `select id from information_schema.processlist where state = 'User lock'`;
    await until(async () => (await target.query(waiting)).length > 0);
    expect(await things()).toEqual([thing(9, 'old')]);
    await expect(target.query('set innodb_lock_wait_timeout = 1; delete from things')).rejects.toThrow(
      'Lock wait timeout',
    );
    await target.query(`select release_lock('here')`);
    expect((await running).counts).toMatchObject({ insert: 5, delete: 1 });
    expect(await things()).toHaveLength(5);
  });

  test('of rows that share an identity one stays; texts that only a collation takes for equal are told apart', async () => {
    const { world, target, things, replacing } = replace;
    await target.query(`drop table things; create table things (id int, name text, note text, key (id));
      insert into things values (1, 'I1', 'kept'), (2, 'i2', 'a'), (2, 'i2', 'a'), (2, 'i2', 'b'), (null, 'x', 'y')`);
    const executed = await world.execute(await replacing(byId));
    expect(executed.counts).toMatchObject({ total: 5, insert: 3, update: 1, delete: 3 });
    expect(await things()).toMatchObject([{ name: 'i1', note: 'kept' }, { name: 'i2' }, {}, {}, {}]);
    expect(await world.log(executed.id, 'deletes')).toHaveLength(3);
  });

  test('checks and keys over more than the mapped columns are left to the end; a column that counts up may be mapped', async () => {
    const { world, target, things, replacing } = replace;
    await target.query(`drop table things; create table things (
      id int auto_increment, name text, note varchar(40) not null default 'none', place int not null default 0,
      primary key (id, place), unique (name(20), note), constraint both_ck check (name <> note))`);
    const executed = await world.execute(await replacing(byId));
    expect(executed.outcome).toEqual({ status: 'completed' });
    expect(executed.counts).toMatchObject({ insert: 5 });
    expect(await things()).toMatchObject([{ id: 1, name: 'i1', note: 'none' }, {}, {}, {}, {}]);
  });

  test('what a trigger refuses is an error of its record', async () => {
    const { world, target, things, replacing } = replace;
    await target.query(`create trigger judge before insert on things for each row
      begin if new.name = 'i2' then signal sqlstate '42000' set message_text = 'not this one'; end if; end`);
    const { id, outcome, counts } = await world.execute(await replacing(byId));
    expect(outcome).toEqual({ status: 'completed' });
    expect(counts).toMatchObject({ total: 5, insert: 4, error: 1 });
    expect(await world.log(id, 'errors')).toMatchObject([{ identity: { id: '2' }, reason: 'not this one' }]);
    expect(await things()).toHaveLength(4);
  });
});
