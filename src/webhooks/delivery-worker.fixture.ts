/** A delivery worker as a process of its own, for tests to kill. Arguments: worker id. */
import pino from 'pino';
import { openDatabase } from '../db/index.ts';
import { createEgress } from '../egress/index.ts';
import { startJobs } from '../jobs/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { deliveryQueue, startDeliveryWorker } from './index.ts';

const url = process.env.DATABASE_URL ?? '';
const { db } = openDatabase(url);
const jobs = await startJobs(url, [deliveryQueue], 'work', () => {});
await startDeliveryWorker(
  {
    db,
    jobs,
    keyRing: new KeyRing([Buffer.alloc(32, 3)]),
    egress: createEgress({ allow: ['127.0.0.0/8'] }),
    log: pino({ level: 'silent' }),
    workerId: process.argv[2] ?? '',
  },
  { retrySeconds: [0, 0, 0, 0, 0], concurrency: 4 },
);
