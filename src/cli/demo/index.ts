import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { styleText } from 'node:util';
import { readConfig } from '../../config.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../../db/index.ts';
import { clearDataDirectory } from '../../host/index.ts';
import { createLog } from '../../lib/log.ts';
import { type Server, startServer } from '../../server.ts';
import { createClient } from '../client.ts';
import { command, type Environment } from '../command.ts';
import { untilSignal } from '../until-signal.ts';
import { startReceiver } from './receiver.ts';
import { createScreen } from './screen.ts';
import { createSampleDatabases, rows } from './shop.ts';
import { tellStory } from './story.ts';
import { createSyncs } from './syncs.ts';

const secret = 'the demo’s webhook secret';

export const demo = command({
  name: 'demo',
  summary: 'The main job on sample databases, in a data directory of its own that every run starts over.',
  options: { once: { text: 'Stops after the summary, instead of leaving the server running.' } },
  run: ({ options }, environment) => runDemo(environment, options.once),
});

/** @returns 0 when everything was as expected, 1 when anything differed. */
async function runDemo(environment: Environment, once: boolean): Promise<number> {
  const signaled = untilSignal();
  const screen = createScreen(process.stdout);

  screen.heading('Tidemark demo');
  const server = await startDemoServer(environment);
  screen.line(`server ready at ${server.url}`);
  let samples: EmbeddedPostgres | undefined;
  const receiver = await startReceiver(secret, ({ type, event, signatureOk }) =>
    screen.event(type, String(event.name), signatureOk),
  );
  try {
    samples = await startSamples(server.directory.folder);
    const databases = await createSampleDatabases(samples.url());
    screen.line(
      `sample shop: ${rows.customers.toLocaleString('en')} customers, ${rows.products.toLocaleString('en')} products, ${rows.orders.toLocaleString('en')} orders`,
    );
    const client = createClient({ url: server.url, apiKey: server.apiKey ?? '' });
    const syncs = await createSyncs(client, { ...databases, receiver: receiver.url }, secret);
    screen.line('created through the API: 1 webhook, 3 connections, 1 model, 2 model syncs, 1 bulk sync');
    const ok = await tellStory({ client, screen, server, receiver, databases, syncs });
    if (once) return ok ? 0 : 1;

    screen.heading('The server goes on running');
    screen.line(`URL  ${styleText('cyan', server.url)}`);
    screen.line(`key  ${server.apiKey}`);
    screen.line(`curl -H "Authorization: Bearer ${server.apiKey}" "${server.url}/api/events?limit=3"`);
    screen.line('Ctrl-C stops it.');
    await signaled;
    return ok ? 0 : 1;
  } finally {
    await server.stop();
    await samples?.stop();
    await receiver.close();
  }
}

async function startDemoServer(environment: Environment): Promise<Server> {
  // Beside the one that is configured, which may hold what somebody needs: this one is thrown away.
  const dataDir = `${path.resolve(environment.TIDEMARK_DATA_DIR || '.tidemark')}-demo`;
  const config = readConfig({
    TIDEMARK_PORT: '0',
    TIDEMARK_LOG_LEVEL: 'error',
    ...environment,
    TIDEMARK_DATA_DIR: dataDir,
    // The receiver and the sample databases are on this machine.
    TIDEMARK_EGRESS_ALLOW: 'loopback',
    DATABASE_URL: undefined,
    TIDEMARK_API_KEY: environment.TIDEMARK_API_KEY || crypto.randomUUID(),
  });
  await removeEmbeddedPostgres(samplesOf(dataDir));
  await clearDataDirectory(dataDir);
  return startServer(config, createLog(config.logLevel));
}

const samplesOf = (dataDir: string) => path.join(dataDir, 'samples');

/** A PostgreSQL beside the server's own, which no connection reaches. */
async function startSamples(dataDir: string): Promise<EmbeddedPostgres> {
  const folder = samplesOf(dataDir);
  await mkdir(folder, { mode: 0o711 });
  return startEmbeddedPostgres(folder);
}
