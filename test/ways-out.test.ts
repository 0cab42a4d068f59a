import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const source = path.join(import.meta.dirname, '../src');

/** What opens a socket or resolves a name: by Node itself, or by a driver that dials what it is told. */
const openers: Record<string, RegExp> = {
  socket:
    /\bnet\.(connect|createConnection)\(|new net\.Socket\(|\btls\.connect\(|\bhttps?\.(request|get)\(|\bhttp2\.connect\(/,
  name: /from '(node:)?dns/,
  fetch: /\bawait fetch\(|\breturn fetch\(/,
  undici: /from 'undici'/,
  postgresql: /new pg\.(Client|Pool)\(/,
  mysql: /\.create(Connection|Pool)\(/,
  s3: /new sdk\.S3Client\(/,
};

/** Where that may be, and why it leads to no address of a user's without the guard. */
const allowed: Record<string, string> = {
  'egress/dns.ts name': 'the guard',
  'egress/dial.ts socket': 'the guard',
  'egress/connection.ts undici': 'the guard: its sockets are dialled by dial.ts',
  'egress/exchange.ts undici': 'types',
  'egress/stream.ts undici': 'types',
  'connectors/postgresql/client.ts postgresql': 'is given a socket of the guard',
  'connectors/mysql/open-connection.ts mysql': 'is given a socket of the guard',
  'connectors/s3/store.ts s3': 'sends by the guard',
  'connectors/duckdb-engine/row-pipe.ts socket': 'a pipe to our own process',
  'connectors/file-formats/file-cache.ts fetch': 'a parameter of that name',
  'lib/process-lock.ts socket': 'a lock of this machine, without an address',
  'cli/demo/shop.ts postgresql': 'the demo’s own database',
  'cli/client.ts fetch': 'the operator’s own server',
  'cli/demo/story.ts fetch': 'the demo’s own server',
  'cli/events/forward.ts fetch': 'the developer’s own receiver',
  'cli/events/stream.ts fetch': 'the operator’s own server',
};
/** The metadata database, whose URL is the operator's. */
const own = /^(db|host)\//;

test('nothing opens a socket or resolves a name beside the guard', async () => {
  const found: string[] = [];
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/(?<!\.test|\.fixture|\.gen)\.ts$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(source, file);
    if (own.test(name)) continue;
    const code = (await readFile(file, 'utf8')).replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, '');
    for (const [kind, pattern] of Object.entries(openers)) {
      if (pattern.test(code)) found.push(`${name} ${kind}`);
    }
  }
  expect(found.sort()).toEqual(Object.keys(allowed).sort());
});
