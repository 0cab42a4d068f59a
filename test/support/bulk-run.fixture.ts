/**
 * Runs one execution of a bulk sync in a process of its own, to be killed: `bulk-run.fixture.ts <database url> <id>
 * <folder for DuckDB files>`. With a fourth argument it begins when it is told to.
 */
import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { openDatabase } from '../../src/db/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { beginRun, testKey } from './bulk-syncs.ts';

const [url = '', given = '', duckdbDir = '', waits, rangeRows] = process.argv.slice(2);
let executionId = given;
if (waits !== undefined) {
  flushCompileCache();
  process.send?.('ready');
  const [told] = (await once(process, 'message')) as [string];
  if (given === '') executionId = told;
  process.disconnect();
}
const { db } = openDatabase(url);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
const keyRing = new KeyRing([testKey]);
const ranges = rangeRows === undefined ? {} : { rangeRows: Number(rangeRows) };
await beginRun({ db, keyRing, egress, duckdbDir, ...ranges }, executionId);
