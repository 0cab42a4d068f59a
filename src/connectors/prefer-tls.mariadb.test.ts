/** `ssl` left out: with TLS where the server offers it, without where it says that it has none. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../test/support/certificate.ts';
import { testDatabase } from '../../test/support/database.ts';
import { loopback } from '../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { createMariadbDatabase, describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';
import { startMariadb } from '../../test/support/mariadb-server.ts';
import { mysql } from './mysql/index.ts';
import { postgresql } from './postgresql/index.ts';

const { cert } = selfSigned('localhost');

test('PostgreSQL without TLS', async () => {
  const { url } = await testDatabase();
  const { ssl: _, ...configuration } = postgresqlConfiguration(url);
  const tested = async (more: object) => {
    const session = postgresql.open({ client_certs: false, ...configuration, ...more }, { egress: loopback });
    await session.test().finally(() => session.close());
  };
  await tested({});
  await tested({ ssl: false });
  await expect(tested({ ssl: true })).rejects.toThrow(/SSL/);
  // Who has to prove its name is not spoken to in the clear.
  await expect(tested({ ca_cert: cert })).rejects.toThrow(/SSL/);
});

describeMariadb('MariaDB', () => {
  const open = (given: object, more: object) => {
    const { ssl: _, ...configuration } = given as { ssl: boolean };
    return mysql.open({ ...configuration, ...more } as never, { egress: loopback });
  };
  /** What the server says the connection is encrypted with. */
  async function cipher(given: object, more: object) {
    const session = open(given, more);
    const query = `select variable_value as v from information_schema.session_status where variable_name = 'ssl_cipher'`;
    const rows = session.modelSource?.sample({ query }, ['v'], 1);
    return (await rows?.finally(() => session.close()))?.flat();
  }

  test('a server without TLS', async () => {
    const { configuration } = await mariadbDatabase();
    expect(await cipher(configuration, {})).toEqual(['']);
    await expect(cipher(configuration, { ssl: true })).rejects.toThrow(/secure connection/);
    await expect(cipher(configuration, { ca_cert: cert })).rejects.toThrow(/secure connection/);
  });

  test('a server with TLS', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-tls-'));
    const own = selfSigned('127.0.0.1');
    for (const name of ['key', 'cert'] as const) await writeFile(path.join(folder, name), own[name]);
    const server = await startMariadb({
      'ssl-cert': path.join(folder, 'cert'),
      'ssl-key': path.join(folder, 'key'),
    });
    const database = await createMariadbDatabase(server.port);
    onTestFinished(async () => {
      await database[Symbol.asyncDispose]();
      await server.stop();
      await rm(folder, { recursive: true });
    });
    expect(await cipher(database.configuration, {})).toEqual([expect.stringMatching(/TLS|GCM|CHACHA/)]);
    expect(await cipher(database.configuration, { ssl: false })).toEqual(['']);
    // A failed handshake is no word that there is no TLS.
    await expect(cipher(database.configuration, { ca_cert: cert })).rejects.toThrow(/certificate/i);
  });
});
