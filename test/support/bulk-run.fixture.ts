/**
 * Runs one execution of a bulk sync in a process of its own, to be killed: `bulk-run.fixture.ts <database url> <folder for
 * DuckDB files> [rows of a range]`. It is told which one when it is up.
 */
import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { openDatabase } from '../../src/db/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { beginRun, testKey } from './bulk-syncs.ts';

const [url = '', duckdbDir = '', rangeRows] = process.argv.slice(2);
flushCompileCache();
process.send?.('ready');
const [executionId] = (await once(process, 'message')) as [string];
process.disconnect();
const { db } = openDatabase(url);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
const keyRing = new KeyRing([testKey]);
const ranges = rangeRows === undefined ? {} : { rangeRows: Number(rangeRows) };
await beginRun({ db, keyRing, egress, duckdbDir, ...ranges }, executionId);
