import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { loopback } from '../../test/support/egress.ts';
import { temporaryFolder } from '../../test/support/server.ts';

const secret = 'secret-of-this-machine';

// Before any driver is loaded, if this file is the first of its worker: some read when they are.
const before = vi.hoisted(() => {
  const secret = 'secret-of-this-machine';
  const before = { ...process.env };
  Object.assign(process.env, {
    PGHOST: '192.0.2.1',
    PGPORT: '1',
    PGUSER: secret,
    PGDATABASE: secret,
    PGPASSWORD: secret,
    PGOPTIONS: `-c application_name=${secret}`,
    PGAPPNAME: secret,
    PGREPLICATION: 'database',
    PGSSLMODE: 'verify-full',
    PGSSLNEGOTIATION: 'direct',
    PGCLIENTENCODING: 'LATIN1',
    PGCLIENT_ENCODING: 'LATIN1',
    PGCONNECT_TIMEOUT: '1',
    PGBINARY: 'true',
    PGSERVICE: secret,
    USER: secret,
    MYSQL_HOST: '192.0.2.1',
    MYSQL_PWD: secret,
    MYSQL_PASSWORD: secret,
    MYSQL_USER: secret,
    MYSQL_TCP_PORT: '1',
    MYSQL_UNIX_PORT: '/tmp/none.sock',
    AWS_ACCESS_KEY_ID: secret,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_SESSION_TOKEN: secret,
    AWS_PROFILE: secret,
    AWS_REGION: secret,
    AWS_DEFAULT_REGION: secret,
    AWS_ENDPOINT_URL: 'http://192.0.2.1',
    AWS_ENDPOINT_URL_S3: 'http://192.0.2.1',
    AWS_EXECUTION_ENV: secret,
    AWS_LAMBDA_FUNCTION_NAME: secret,
    _X_AMZN_TRACE_ID: secret,
    AWS_SDK_UA_APP_ID: secret,
    AWS_MAX_ATTEMPTS: '1',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/etc/hostname',
    AWS_ROLE_ARN: secret,
    HTTP_PROXY: 'http://192.0.2.1:1',
    HTTPS_PROXY: 'http://192.0.2.1:1',
    ALL_PROXY: 'http://192.0.2.1:1',
    NODE_USE_ENV_PROXY: '1',
  });
  return before;
});
// Other files share the worker.
afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

const { duckdb } = await import('./duckdb/index.ts');
const { mysql } = await import('./mysql/index.ts');
const { postgresql } = await import('./postgresql/index.ts');
const { s3 } = await import('./s3/index.ts');
const { openEngine } = await import('./duckdb-engine/index.ts');

/** A folder with what clients look for at home. */
async function moveHome(): Promise<void> {
  const home = await temporaryFolder();
  const entries: [file: string, text: string][] = [
    ['.pgpass', `*:*:*:*:${secret}\n`],
    ['.pg_service.conf', `[${secret}]\npassword=${secret}\n`],
    ['.my.cnf', `[client]\npassword=${secret}\n`],
    [
      '.aws/credentials',
      `[default]\naws_access_key_id=${secret}\naws_secret_access_key=${secret}\n[${secret}]\naws_access_key_id=${secret}\naws_secret_access_key=${secret}\n`,
    ],
    ['.aws/config', `[default]\nregion=${secret}\nendpoint_url=http://192.0.2.1\ns3_use_arn_region=true\n`],
    ['.duckdbrc', `set variable secret = '${secret}';\n`],
  ];
  for (const [file, text] of entries) {
    await mkdir(path.dirname(path.join(home, file)), { recursive: true });
    await writeFile(path.join(home, file), text, { mode: 0o600 });
  }
  Object.assign(process.env, { HOME: home, PGPASSFILE: path.join(home, '.pgpass') });
}

/** Its port, and everything it was sent. */
async function listening(server: net.Server): Promise<{ port: number; sent(): string }> {
  const chunks: Buffer[] = [];
  server.on('connection', (socket) => {
    socket.on('error', () => {}).on('data', (chunk) => chunks.push(chunk));
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => Buffer.concat(chunks).toString('latin1'),
  };
}

test('an empty password stays one in PostgreSQL, and nothing of this machine is sent', async () => {
  await moveHome();
  // Asks for the password in the clear, and hangs up with the answer to it.
  const server = net.createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.of(0x52, 0, 0, 0, 8, 0, 0, 0, 3));
      socket.once('data', () => setImmediate(() => socket.end()));
    });
  });
  const { port, sent } = await listening(server);
  const session = postgresql.open(
    {
      hostname: '127.0.0.1',
      port,
      database: 'd',
      username: 'u',
      password: '',
      ssl: false,
      client_certs: false,
    },
    { egress: loopback },
  );
  await expect(session.test()).rejects.toThrow();
  await session.close();
  expect(sent()).toContain('user\0u\0database\0d\0');
  expect(sent().endsWith('p\0\0\0\x05\0')).toBe(true);
  expect(sent()).not.toMatch(/secret|options|replication|LATIN1/);
});

test('an empty password stays one in MySQL', async () => {
  await moveHome();
  const greeting = Buffer.concat([
    Buffer.from('\x0a8.0.0\0\x01\0\0\0saltsalt\0', 'latin1'),
    // Protocol 4.1, secure connection, plugin authentication.
    Buffer.of(0x00, 0x82, 45, 2, 0, 0x08, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    Buffer.from('saltsaltsalt\0mysql_native_password\0', 'latin1'),
  ]);
  const server = net.createServer((socket) => {
    socket.write(Buffer.concat([Buffer.of(greeting.length, 0, 0, 0), greeting]));
    socket.once('data', () => setImmediate(() => socket.end()));
  });
  const { port, sent } = await listening(server);
  const session = mysql.open(
    { hostname: '127.0.0.1', port, account: 'u', passwd: '', ssl: false },
    { egress: loopback },
  );
  await expect(session.test()).rejects.toThrow();
  await session.close();
  // The account, and an answer to the salt of no bytes.
  expect(sent()).toContain('\0u\0\0');
  expect(sent()).not.toContain('secret');
});

test('S3 is asked with the keys of the connection, where it says, and with nothing else', async () => {
  await moveHome();
  const server = http.createServer((_, response) =>
    response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>'),
  );
  const { port, sent } = await listening(server);
  const configuration = {
    auth_mode: 'access_key_and_secret',
    aws_access_key_id: 'AKIAOWN',
    aws_secret_access_key: 'own',
    s3_bucket_region: 'eu-central-1',
    s3_bucket_name: 'bucket',
    endpoint: `http://127.0.0.1:${port}`,
  };
  const without = { ...configuration, aws_access_key_id: '', aws_secret_access_key: '' };
  expect(() => s3.open(without, { egress: loopback })).toThrow('configuration.aws_access_key_id');
  const session = s3.open(configuration, { egress: loopback });
  await expect(session.test()).rejects.toThrow();
  await session.close();
  expect(sent()).toContain('Credential=AKIAOWN/');
  expect(sent()).toContain('/eu-central-1/s3/aws4_request');
  expect(sent()).not.toMatch(/secret-of|security-token|trace-id/i);
});

test('DuckDB knows neither the environment nor the home folder', async () => {
  await moveHome();
  const engine = await openEngine();
  onTestFinished(() => engine.close());
  const [row] = await engine.query(
    `select getvariable('secret') as variable, current_setting('home_directory') as home,
       (select count(*)::text from duckdb_secrets()) as secrets`,
  );
  expect(row).toMatchObject({ variable: null, secrets: '0' });
  expect(String(row?.home)).not.toContain('tidemark-test');
  await expect(engine.query(`select getenv('PGPASSWORD')`)).rejects.toThrow('getenv');
  const folder = await temporaryFolder();
  const session = duckdb.open({ database: 'x.duckdb' }, { egress: loopback, folder });
  onTestFinished(() => session.close());
  await session.test().catch(() => {});
});
