/** A delivery worker as a process of its own, for tests to kill. Arguments: worker id, waits in seconds. */
import pino from 'pino';
import { createEgress } from '../egress/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { startDeliveryWorker } from './index.ts';

const [workerId = '', retrySeconds = '0,0,0,0,0'] = process.argv.slice(2);
await startDeliveryWorker(
  {
    databaseUrl: process.env.DATABASE_URL ?? '',
    keyRing: new KeyRing([Buffer.alloc(32, 3)]),
    egress: createEgress({ allow: ['127.0.0.0/8', '::1/128'] }),
    log: pino({ level: 'silent' }),
    workerId,
  },
  {
    retrySeconds: retrySeconds.split(',').map(Number),
    concurrency: 64,
    concurrencyPerWebhook: 16,
    deadline: 2000,
  },
);
