/**
 * Runs one execution of a bulk sync in a process of its own, to be killed: `bulk-run.fixture.ts <database url> <id>`.
 * With a third argument it begins when it is told to.
 */
import { once } from 'node:events';
import { openDatabase } from '../../src/db/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { beginRun, testKey } from './bulk-syncs.ts';

const [url = '', executionId = '', waits] = process.argv.slice(2);
if (waits !== undefined) {
  process.send?.('ready');
  await once(process, 'message');
  process.disconnect();
}
const { db } = openDatabase(url);
await beginRun({ db, keyRing: new KeyRing([testKey]), egress: createEgress({ allow: [] }) }, executionId);
