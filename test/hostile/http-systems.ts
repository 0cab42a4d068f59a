import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { startS3 } from '../support/s3.ts';
import { answerProxy } from './answer-proxy.ts';
import type { HostileSystems } from './database-systems.ts';
import type { HostileSystem } from './play.ts';

const lines = Array.from({ length: 40 }, (_, index) => `${index},name ${index}\n`).join('');
const csv = `id,name\n${lines}`;

export async function hostileS3(): Promise<HostileSystems> {
  const server = await startS3();
  await server.put('people.csv', csv);
  await server.put('more/packed.csv.gz', gzipSync(csv));
  await server.put('more/people.jsonl', '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n');
  const proxy = await answerProxy(String(server.configuration.endpoint));
  const system: HostileSystem = {
    connector: 's3',
    configuration: { ...server.configuration, endpoint: `http://127.0.0.1:${proxy.port}` },
    place: {
      ...{ schemaId: 'people', model: { table: 'people' }, object: 'files', schema: 'copied' },
      targetConfiguration: { name: 'out/people', format: 'jsonl' },
    },
    visits: [
      ...(['test', 'schemas', 'records', 'fields', 'sample', 'modelRecords', 'readText'] as const),
      ...(['test', 'schemas', 'loadReplace', 'objects'] as const),
    ],
    arm: proxy.arm,
    seen: proxy.seen,
  };
  return {
    systems: [system],
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** CSV by URL, lookups and a webhook. */
export async function hostileHttp(): Promise<HostileSystems> {
  const server = http.createServer((incoming, outgoing) => {
    incoming.resume();
    if (incoming.url === '/people.csv')
      outgoing.writeHead(200, { 'content-type': 'text/csv', etag: '"1"' }).end(csv);
    else if (incoming.url === '/token')
      outgoing.writeHead(200).end('{"access_token":"a","token_type":"bearer"}');
    else outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"a"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await answerProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const url = `http://127.0.0.1:${proxy.port}`;
  const auth = { oauth: { client_id: 'a', client_secret: 'b', token_endpoint: `${url}/token` } };
  const { arm, seen } = proxy;
  const systems: HostileSystem[] = [
    {
      connector: 'csv',
      configuration: { url: `${url}/people.csv` },
      place: { schemaId: 'people', model: { table: 'people' } },
      visits: ['test', 'schemas', 'records', 'readText'],
      arm,
      seen,
    },
    {
      connector: 'httpenrichment',
      configuration: { method: 'GET', url: `${url}/people/{{id}}`, healthcheck: `${url}/health`, auth },
      place: {},
      visits: ['test', 'lookup'],
      arm,
      seen,
    },
    {
      connector: 'webhook',
      configuration: { url: `${url}/records`, auth_method: 'polytomic_secret', secret: 'token' },
      place: { object: 'http' },
      visits: ['write'],
      arm,
      seen,
    },
  ];
  return {
    systems,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}
