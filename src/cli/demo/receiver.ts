import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedEvent {
  type: string;
  event: Record<string, unknown>;
  signatureOk: boolean;
}

/** What a consumer of Tidemark would run: event webhooks on /events, records of a model sync on /records. */
export interface DemoReceiver {
  url: string;
  events: ReceivedEvent[];
  /** Records that arrived on /records, repeated ones counted once. */
  records: Set<string>;
  close(): Promise<void>;
}

export async function startReceiver(
  secret: string,
  onEvent: (event: ReceivedEvent) => void,
): Promise<DemoReceiver> {
  const events: ReceivedEvent[] = [];
  const records = new Set<string>();
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (request.url === '/records') {
      const { object } = JSON.parse(body.toString()) as {
        object: { records: { hash: string; fields: object }[] };
      };
      for (const record of object.records) records.add(JSON.stringify(record));
    } else {
      const signatureOk = verify(secret, body, request.headers['polytomic-signature']);
      const event = { ...(JSON.parse(body.toString()) as Omit<ReceivedEvent, 'signatureOk'>), signatureOk };
      events.push(event);
      onEvent(event);
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    records,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function verify(secret: string, body: Buffer, header: string | string[] | undefined): boolean {
  const given = Buffer.from(String(header), 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}
