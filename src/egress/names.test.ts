import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type DnsAnswer, type DnsServer, startDnsServer } from '../../test/support/dns-server.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { Names, type NamesOptions } from './names.ts';

const six = '2001:db8:0:0:0:0:0:1';

/** Names of a DNS server and files of its own. */
async function world(
  answers: Record<string, DnsAnswer>,
  { hosts = '', resolvConf = '', ...options }: { hosts?: string; resolvConf?: string } & NamesOptions = {},
): Promise<{ server: DnsServer; names: Names; hostsFile: string }> {
  const server = await startDnsServer(answers);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = await temporaryFolder();
  const [hostsFile, resolvFile] = [path.join(folder, 'hosts'), path.join(folder, 'resolv.conf')];
  await writeFile(hostsFile, hosts);
  await writeFile(resolvFile, resolvConf);
  const names = new Names({ hostsFile, resolvConf: resolvFile, servers: [server.address], ...options });
  return { server, names, hostsFile };
}

const dead = (n: number) => `dead${n}.test`;
const silent = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [dead(n), 'silent' as const]));

test('names whose DNS never answers delay neither another tenant nor the thread pool', async () => {
  const { server, names } = await world(
    { ...silent(200), 'good.test': { a: ['192.0.2.7'] } },
    { deadline: 2000 },
  );
  const hopeless = Array.from({ length: 200 }, (_, n) =>
    names.resolve(dead(n), 'bad').catch((error: Error) => error.message),
  );
  await until(async () => server.asked.length >= 32);
  expect(await names.resolve('good.test', 'good')).toEqual(['192.0.2.7']);
  // Its own are shared out: sixteen at a time, of two families.
  expect(new Set(server.asked.filter((asked) => asked.includes('dead'))).size).toBe(32);
  expect(await hopeless[0]).toBe('the name dead0.test does not resolve: its DNS servers do not answer');
  // A place that is free is the next one's.
  await until(async () => server.asked.includes('a dead16.test'));
});

test('a name that another tenant waits for is not waited for in that tenant’s turn', async () => {
  const { server, names } = await world({ ...silent(16), 'good.test': { a: ['192.0.2.7'] } });
  for (let n = 0; n < 16; n++) names.resolve(dead(n), 'bad').catch(() => {});
  await until(async () => server.asked.length >= 32);
  names.resolve('good.test', 'bad').catch(() => {});
  expect(await names.resolve('good.test', 'good')).toEqual(['192.0.2.7']);
});

test('what the DNS says is kept as long as it says, and asked once by all who wait', async () => {
  const { server, names } = await world({
    'kept.test': { a: ['192.0.2.1', '192.0.2.2'], aaaa: [six] },
    'fleeting.test': { a: ['192.0.2.3'], ttl: 0 },
  });
  const ask = (name: string) => names.resolve(name, 't');
  const [one, two] = await Promise.all([ask('kept.test'), ask('KEPT.test.')]);
  expect(one).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
  expect(two).toEqual(one);
  await ask('kept.test');
  expect(server.asked.sort()).toEqual(['a kept.test', 'aaaa kept.test']);
  server.names.set('kept.test', { a: ['192.0.2.9'] });
  names.forget('kept.test');
  expect(await ask('kept.test')).toEqual(['192.0.2.9']);
  await ask('fleeting.test');
  server.names.set('fleeting.test', { a: ['192.0.2.4'], ttl: 1 });
  expect(await ask('fleeting.test')).toEqual(['192.0.2.4']);
  server.names.set('fleeting.test', { a: ['192.0.2.5'] });
  await until(async () => (await ask('fleeting.test'))[0] === '192.0.2.5');
});

test('the hosts file comes first, and is read again when it has changed; localhost asks nobody', async () => {
  const hosts = '# names\n192.0.2.1 listed.test other # comment\n::1 listed.test\nnonsense x\n';
  const { server, names, hostsFile } = await world({ 'listed.test': { a: ['192.0.2.9'] } }, { hosts });
  expect(await names.resolve('Listed.test', 't')).toEqual(['192.0.2.1', '::1']);
  expect(await names.resolve('other', 't')).toEqual(['192.0.2.1']);
  expect(await names.resolve('localhost', 't')).toEqual(['::1', '127.0.0.1']);
  expect(await names.resolve('a.localhost', 't')).toEqual(['::1', '127.0.0.1']);
  expect(server.asked).toEqual([]);
  await writeFile(hostsFile, '192.0.2.2 listed.test localhost\n');
  await until(async () => (await names.resolve('listed.test', 't'))[0] === '192.0.2.2');
  expect(await names.resolve('localhost', 't')).toEqual(['192.0.2.2']);
});

test('short names are looked for in the system’s domains, in its order', async () => {
  const resolvConf = 'nameserver 192.0.2.53\nsearch ns.cluster. cluster .\noptions edns0 ndots:2\n';
  const { server, names } = await world(
    {
      'db.ns.cluster': { a: ['192.0.2.1'] },
      'db.other.cluster': { a: ['192.0.2.2'] },
      'example.test': { a: ['192.0.2.3'] },
      'a.b.test': { a: ['192.0.2.4'] },
      'down.ns.cluster': 'fails',
    },
    { resolvConf },
  );
  const ask = (name: string) => names.resolve(name, 't').then(([first]) => first);
  expect(await ask('db')).toBe('192.0.2.1');
  expect(await ask('db.other')).toBe('192.0.2.2');
  expect(await ask('example.test')).toBe('192.0.2.3');
  server.asked.length = 0;
  expect(await ask('a.b.test')).toBe('192.0.2.4');
  expect(await ask('example.test.')).toBe('192.0.2.3');
  expect(server.asked.filter((asked) => asked.includes('cluster'))).toEqual([]);
  await expect(ask('nowhere')).rejects.toThrow('the name nowhere does not resolve: DNS knows no such name');
  await expect(ask('down')).rejects.toThrow('its DNS servers fail (ESERVFAIL)');
});

test('a DNS that says nothing of one family does not hold up the other', async () => {
  const { names } = await world({
    'half.test': { a: ['192.0.2.1'], silent: ['aaaa'] },
    'none.test': {},
  });
  const started = performance.now();
  expect(await names.resolve('half.test', 't')).toEqual(['192.0.2.1']);
  expect(performance.now() - started).toBeLessThan(1200);
  await expect(names.resolve('none.test', 't')).rejects.toThrow('it has no address');
  await expect(names.resolve('a..test', 't')).rejects.toThrow('it is no valid name');
});
