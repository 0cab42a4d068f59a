import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../test/support/certificate.ts';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { appendEvent } from '../events/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { createWebhook, enqueueDeliveries } from './index.ts';

const { key, cert } = selfSigned('localhost');
/** Milliseconds that the endpoint takes for the handshake, and for its answer. */
const [handshake, thought] = [80, 50];

/** An endpoint under https that takes its time, and how many requests it had. */
async function startEndpoint() {
  const endpoint = { url: '', requests: 0 };
  const context = tls.createSecureContext({ key, cert });
  const server = https.createServer(
    { key, cert, SNICallback: (_, found) => void setTimeout(found, handshake, null, context) },
    (request, response) => {
      endpoint.requests++;
      request.resume().once('end', () => setTimeout(() => response.end('ok'), thought));
    },
  );
  server.on('tlsClientError', () => {});
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  endpoint.url = `https://localhost:${(server.address() as AddressInfo).port}/hook`;
  return endpoint;
}

function startWorker(databaseUrl: string, environment: Record<string, string>): void {
  const worker = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'delivery-worker.fixture.ts'), crypto.randomUUID(), '600'],
    { env: { ...process.env, DATABASE_URL: databaseUrl, ...environment }, stdio: 'inherit' },
  );
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
  });
}

/** Announces an event to an endpoint of a new organization, several times one after the other; the attempts. */
async function attempts({ db }: MetadataDatabase, endpoint: string, events: number) {
  const { id: organizationId } = await db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const keyRing = new KeyRing([Buffer.alloc(32, 3)]);
  await createWebhook({ db, keyRing }, organizationId, { endpoint, secret: 's' });
  const found = [];
  for (let n = 0; n < events; n++) {
    const { createdAt } = await db.transaction().execute(async (tx) => {
      const event = await appendEvent(tx, { organizationId, type: 'sync.completed', event: {} });
      await enqueueDeliveries(tx, event);
      return event;
    });
    found.push(
      await until(() =>
        db.selectFrom('webhook_attempts').selectAll().where('created_at', '=', createdAt).executeTakeFirst(),
      ),
    );
  }
  return found;
}

test('the time of an attempt is split into name, connection, handshake, answer; an open connection has none of the first three', async () => {
  await using metadata = await createMetadataDatabase();
  const endpoint = await startEndpoint();
  const file = path.join(await temporaryFolder(), 'authority.pem');
  await writeFile(file, cert);
  startWorker(metadata.url, { NODE_EXTRA_CA_CERTS: file });

  const [first, second] = await attempts(metadata, endpoint.url, 2);
  expect(first).toMatchObject({ status_code: 200, error: null });
  const [dns, connect, tlsTime, firstByte] = [
    first?.dns_ms,
    first?.connect_ms,
    first?.tls_ms,
    first?.first_byte_ms,
  ].map((part) => part ?? Number.NaN);
  expect(dns).toBeGreaterThanOrEqual(0);
  expect(connect).toBeGreaterThan(0);
  expect(tlsTime).toBeGreaterThanOrEqual(handshake - 5);
  expect(firstByte).toBeGreaterThanOrEqual(thought - 5);
  const sum = [dns, connect, tlsTime, firstByte].reduce((total = 0, part = 0) => total + part, 0) ?? 0;
  expect(first?.duration_ms).toBeGreaterThanOrEqual(sum - 1);
  // The rest is waiting in this process, and little beside what the endpoint takes.
  expect(sum / (first?.duration_ms ?? 0)).toBeGreaterThan(0.5);

  expect(second).toMatchObject({ status_code: 200, dns_ms: null, connect_ms: null, tls_ms: null });
  expect(second?.first_byte_ms).toBeGreaterThanOrEqual(thought - 5);
});

test('a certificate that nobody vouches for is a failed attempt that says so, and nothing is sent', async () => {
  await using metadata = await createMetadataDatabase();
  const endpoint = await startEndpoint();
  startWorker(metadata.url, {});
  const [attempt] = await attempts(metadata, endpoint.url, 1);
  expect(attempt).toMatchObject({ status_code: null, error_code: 'tls' });
  expect(attempt?.error).toBe(
    'nobody who is trusted vouches for the certificate; the operator can name its authority with NODE_EXTRA_CA_CERTS (self-signed certificate)',
  );
  expect(endpoint.requests).toBe(0);
});
