import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, configTable, readConfig, unknownVariables } from './config.ts';

test('without any variable the defaults hold', () => {
  const config = readConfig({});
  expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, databaseUrl: undefined, egressAllow: [] });
  expect(config.dataDir).toMatch(/\.tidemark$/);
  expect(config.webhookRetrySeconds).toEqual([5, 30, 180, 900, 4500]);
});

test('an empty variable counts as not set', () => {
  expect(readConfig({ TIDEMARK_PORT: '', DATABASE_URL: '' })).toMatchObject({
    port: 8080,
    databaseUrl: undefined,
  });
});

test('a wrong value names the variable and what it takes, and a secret is not repeated', () => {
  const wrong: Record<string, string> = {
    DATABASE_URL: 'mysql://hunter2@host/db',
    TIDEMARK_PORT: '80a',
    TIDEMARK_PUBLIC_URL: 'tidemark.example.com',
    TIDEMARK_API_KEY: 'short',
    TIDEMARK_PARTNER_KEY: 'short',
    TIDEMARK_ENCRYPTION_KEY: 'hunter2',
    TIDEMARK_EGRESS_ALLOW: '10.0.0.0/8, everything',
    TIDEMARK_RECORD_LOGS: 's3:///logs',
    TIDEMARK_RECORD_LOG_RETENTION_DAYS: '-1',
    TIDEMARK_EXECUTION_RETENTION_DAYS: 'never',
    AWS_REGION: 'us east',
    AWS_ENDPOINT_URL_S3: 'https://storage.example.com/bucket',
    TIDEMARK_WORKERS: '-1',
    TIDEMARK_EXECUTIONS_PER_WORKER: '0',
    TIDEMARK_EVENT_RETENTION_HOURS: '1.5',
    TIDEMARK_WEBHOOK_RETRY_SECONDS: '1,2,3,4,5,6',
    TIDEMARK_LOG_LEVEL: 'loud',
  };
  for (const [variable, value] of Object.entries(wrong)) {
    const setting = configTable.find((one) => one.variable === variable);
    expect(() => readConfig({ [variable]: value }), variable).toThrow(ConfigError);
    const message = (() => {
      try {
        readConfig({ [variable]: value });
        return '';
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain(variable);
    expect(message).toContain(setting?.takes);
    if (setting?.secret) expect(message).not.toContain('hunter2');
  }
});

test('every secret may come in a file; not in both, and not in a file that is missing or empty', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const values: Record<string, string> = {
    DATABASE_URL: 'postgresql://hunter2@host/db',
    TIDEMARK_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  };
  for (const { variable, secret } of configTable) {
    if (!secret) continue;
    const value = values[variable] ?? 'hunter2-hunter2-hunter2';
    const file = path.join(folder, variable);
    await writeFile(file, `${value}\n`);
    const { environment } = readConfig({ [`${variable}_FILE`]: file });
    expect(environment).toMatchObject({ [variable]: value, [`${variable}_FILE`]: '' });
    // What is handed to a worker over the server's own environment reads the same.
    expect(readConfig({ [`${variable}_FILE`]: file, ...environment }).environment).toEqual(environment);
    expect(() => readConfig({ [variable]: value, [`${variable}_FILE`]: file })).toThrow(
      `${variable}: ${variable}_FILE is set, too`,
    );
    expect(() => readConfig({ [`${variable}_FILE`]: `${file}.missing` })).toThrow(
      /_FILE .*ENOENT.*It takes a file/,
    );
    await writeFile(file, ' \n');
    expect(() => readConfig({ [`${variable}_FILE`]: file })).toThrow('the file is empty');
  }
});

test('a variable that is no setting is named, with the one that was probably meant', () => {
  expect(
    unknownVariables({
      TIDEMARK_PROT: '9999',
      TIDEMARK_NONSENSE_OF_MINE: '1',
      TIDEMARK_PORT_FILE: '/port',
      TIDEMARK_PORT: '1',
      TIDEMARK_API_KEY_FILE: '/run/secrets/key',
      TIDEMARK_EMPTY: '',
      PORT: '1',
    }),
  ).toEqual([
    expect.stringMatching(/^TIDEMARK_PROT is set, .*Did you mean TIDEMARK_PORT\?/),
    expect.stringMatching(/^TIDEMARK_NONSENSE_OF_MINE is set, and there is no such setting\. "tidemark/),
    expect.stringMatching(/^TIDEMARK_PORT_FILE is set/),
  ]);
});
