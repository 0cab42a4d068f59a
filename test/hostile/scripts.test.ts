import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessPool } from '../../src/isolation/index.ts';
import { Lane, visitors } from './play.ts';
import { scriptedPostgresql, scripts } from './scripted-postgresql.ts';

let pool: ProcessPool;
beforeAll(() => {
  pool = visitors(1);
});
afterAll(() => pool.stop());

test.each(Object.keys(scripts))('a PostgreSQL server that says %s harms nobody', async (name) => {
  const script = scripts[name];
  if (script === undefined) throw new Error('no script');
  await using system = await scriptedPostgresql(script);
  const lane = new Lane(pool, 'scripts', [system]);
  for (const visit of system.visits) {
    const { outcome, reason } = await lane.visit(system, visit);
    expect(['failed', 'canceled'], `${visit}: ${reason}`).toContain(outcome);
    expect(reason).not.toBe('');
    expect(system.seen().messages).toBeGreaterThan(0);
  }
});
