/** Runs one execution of a bulk sync in a process of its own, to be killed: `bulk-run.fixture.ts <database url> <id>`. */
import { openDatabase } from '../../src/db/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { beginRun, testKey } from './bulk-syncs.ts';

const [url = '', executionId = ''] = process.argv.slice(2);
const { db } = openDatabase(url);
await beginRun({ db, keyRing: new KeyRing([testKey]), egress: createEgress({ allow: [] }) }, executionId);
