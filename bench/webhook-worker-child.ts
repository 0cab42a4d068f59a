/** Our delivery worker as a process of its own, with the settings it has in production. */
import pino from 'pino';
import { createEgress } from '../src/egress/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { startDeliveryWorker } from '../src/webhooks/index.ts';

const worker = await startDeliveryWorker(
  {
    databaseUrl: process.env.DATABASE_URL ?? '',
    keyRing: new KeyRing([Buffer.alloc(32, 1)]),
    egress: createEgress({ allow: ['127.0.0.0/8'] }),
    // Logging every attempt is part of the work; where the lines go is not.
    log: pino({ level: 'info' }, pino.destination('/dev/null')),
    workerId: crypto.randomUUID(),
  },
  {
    retrySeconds: [5, 30, 180, 900, 4500],
    concurrency: 256,
    concurrencyPerWebhook: 32,
    deadline: 15_000,
  },
);
process.send?.('ready');
process.on('message', async () => {
  const { user, system } = process.cpuUsage();
  await worker.stop(0);
  process.send?.({ cpuSeconds: (user + system) / 1e6 }, () => process.exit());
});
process.on('disconnect', () => process.exit());
