import { subscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openEngine } from './index.ts';

/** Processes that Node has started for us. */
let started = 0;
subscribe('child_process', () => started++);
/** Idle processes of earlier tests are in use. */
beforeEach(async () => {
  const others = await Promise.all([openEngine({ ownSql: true }), openEngine({ ownSql: true })]);
  onTestFinished(async () => void (await Promise.all(others.map((engine) => engine.close()))));
  started = 0;
});

const newFile = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'engine-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return path.join(folder, 'x.duckdb');
};

test('an engine in which a user’s SQL may have run takes its process with it', async () => {
  for (let opened = 1; opened <= 2; opened++) {
    const engine = await openEngine();
    await engine.close();
    expect(started).toBe(opened);
  }
});

test('engines in turn share a process, and nothing of what they held', async () => {
  const file = await newFile();
  const first = await openEngine({ file, ownSql: true });
  await first.run(`create table kept (i integer); create temp table gone (i integer)`);
  await first.run(`set variable secret = 'x'; set threads = 1; create macro m() as 1`);
  await first.query('select * from kept where i > $1', ['5']);
  for (const sql of [
    'select * from missing',
    'insert into kept values (1/0)',
    `select error('no')`,
    'begin',
  ]) {
    await first.run(sql).catch(() => {});
  }
  await expect(first.query('select 1 where 1 = $1', ['x'])).rejects.toThrow();
  await first.close();
  await expect(first.query('select 1')).rejects.toMatchObject({ name: 'ConnectionLost' });

  const second = await openEngine({ ownSql: true });
  onTestFinished(() => second.close());
  expect(started).toBe(1);
  expect(await second.query(`select getvariable('secret') as x`)).toEqual([{ x: null }]);
  await expect(second.query('select * from kept')).rejects.toThrow('kept');
  await expect(second.query('select m()')).rejects.toThrow('m');
  expect(second.folder).not.toBe(first.folder);

  // The file is free although the process that had it lives on.
  const writer = await openEngine({ file, ownSql: true });
  expect(started).toBe(2);
  expect(await writer.run('insert into kept values (1)')).toBe(1);
  await writer.close();
});

test('a process that was ended in the middle of something is not used again', async () => {
  const ended = new AbortController();
  const engine = await openEngine({ ownSql: true, signal: ended.signal });
  const running = engine.run('select count(*) from range(100_000_000) a, range(100_000_000) b');
  ended.abort();
  await expect(running).rejects.toMatchObject({ name: 'ConnectionLost' });
  await engine.close();
  const next = await openEngine({ ownSql: true });
  expect(await next.query('select 1 as x')).toEqual([{ x: 1 }]);
  await next.close();
});
