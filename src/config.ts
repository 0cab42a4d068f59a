import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseCidr } from './lib/cidr.ts';
import { didYouMean } from './lib/near-name.ts';

/**
 * Every environment variable Tidemark reads, named once. `tidemark --help` and docs/config.md are made from
 * this table; nothing else in the code reads `process.env`.
 */
export interface Setting<Value> {
  variable: string;
  /** What it takes, as a reader would say it. */
  takes: string;
  /** As it would be written in the environment. Undefined: not set. */
  default?: string;
  /** Never printed, logged or returned. Its variable with `_FILE` at the end names a file that holds it. */
  secret?: boolean;
  description: string;
  /** Throws an Error that says what is wrong; the variable's name is added by the caller. */
  parse(text: string): Value;
}

const settings = {
  databaseUrl: text({
    variable: 'DATABASE_URL',
    takes: 'a postgresql:// URL',
    secret: true,
    description: 'PostgreSQL 15 or newer to keep everything in. Without it an embedded one is started.',
    parse: (value) => {
      const { protocol } = new URL(value);
      if (protocol !== 'postgresql:' && protocol !== 'postgres:')
        throw new Error(`${protocol} is not postgresql:`);
      return value;
    },
  }),
  dataDir: text({
    variable: 'TIDEMARK_DATA_DIR',
    takes: 'a folder',
    default: './.tidemark',
    description: 'Where keys, record logs and the embedded PostgreSQL live.',
    parse: (value) => path.resolve(value),
  }),
  host: text({
    variable: 'TIDEMARK_HOST',
    takes: 'an address',
    default: '127.0.0.1',
    description: 'Address to listen on. Loopback unless you say otherwise.',
  }),
  port: number({
    variable: 'TIDEMARK_PORT',
    takes: 'a port, 0 to 65535 (0: any free one)',
    default: '8080',
    description: 'Port to listen on.',
    range: [0, 65_535],
  }),
  publicUrl: text({
    variable: 'TIDEMARK_PUBLIC_URL',
    takes: 'an http:// or https:// URL',
    description: 'Base of the links in events and responses. Default: http://<host>:<port>.',
    parse: (value) => {
      const url = new URL(value);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new Error(`${url.protocol} is not http(s):`);
      return value.replace(/\/+$/, '');
    },
  }),
  apiKey: text({
    variable: 'TIDEMARK_API_KEY',
    takes: 'at least 16 characters',
    secret: true,
    description:
      'Fixes the first user’s API key, for automation. Another one takes its place at the next start. Default: one is generated at the first start.',
    parse: atLeast16,
  }),
  partnerKey: text({
    variable: 'TIDEMARK_PARTNER_KEY',
    takes: 'at least 16 characters',
    secret: true,
    description: 'Enables the partner operations (organizations and their users) for callers that send it.',
    parse: atLeast16,
  }),
  encryptionKeys: {
    variable: 'TIDEMARK_ENCRYPTION_KEY',
    takes: '32 bytes in base64; several separated by commas, newest first',
    secret: true,
    description:
      'Seals the secrets of connections and webhooks. Required with DATABASE_URL; generated into the data directory otherwise.',
    parse: (value: string) =>
      value.split(',').map((part) => {
        const key = Buffer.from(part.trim(), 'base64');
        if (key.length !== 32) throw new Error(`a key decodes to ${key.length} bytes instead of 32`);
        return key;
      }),
  } satisfies Setting<Buffer[]>,
  egressAllow: {
    variable: 'TIDEMARK_EGRESS_ALLOW',
    takes: 'CIDR ranges, loopback, or private, separated by commas, e.g. loopback,10.1.0.0/16',
    default: '',
    description:
      'What connections of every kind (databases, buckets, webhooks, files, services) may reach beside public addresses. loopback: this machine; private: the private networks of RFC 1918, RFC 6598 and RFC 4193. The rest of what is not public, such as link-local addresses with the metadata services of clouds, needs a range of its own. Tidemark’s embedded database is never reached. If only you use the server, allow what your databases need; if tenants make connections, allow nothing that you would not show them.',
    parse: (value: string) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .flatMap((part) => namedRanges[part] ?? [rangeOf(part)]),
  } satisfies Setting<string[]>,
  duckdbDir: text({
    variable: 'TIDEMARK_DUCKDB_DIR',
    takes: 'a folder',
    description:
      'Enables connections to DuckDB files: each organization’s are in a folder of its id below this one, which the server and all workers must share.',
    parse: (value) => path.resolve(value),
  }),
  recordLogs: text({
    variable: 'TIDEMARK_RECORD_LOGS',
    takes: 's3://bucket/prefix, a folder, or off',
    description:
      'Where the logs of every record are kept; the server and all workers must share it. off: nothing is recorded. Default: record-logs in the data directory.',
    parse: (value) => {
      if (value === 'off') return value;
      if (!/^[a-z0-9]+:\/\//i.test(value)) return path.resolve(value);
      if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,62}(\/[\w.=/-]*)?$/.test(value)) {
        throw new Error('not s3:// with a bucket and a prefix of letters, digits and . _ = - /');
      }
      return value;
    },
  }),
  recordLogRetentionDays: number({
    variable: 'TIDEMARK_RECORD_LOG_RETENTION_DAYS',
    takes: 'days, 0 to 36500 (0: for ever)',
    default: '30',
    description: 'How long record logs are kept after their execution has ended.',
    range: [0, 36_500],
  }),
  executionRetentionDays: number({
    variable: 'TIDEMARK_EXECUTION_RETENTION_DAYS',
    takes: 'days, 0 to 36500 (0: for ever)',
    default: '0',
    description:
      'How long executions are kept after they have ended. The last one of each sync is always kept.',
    range: [0, 36_500],
  }),
  awsAccessKeyId: text({
    variable: 'AWS_ACCESS_KEY_ID',
    takes: 'the id of an access key',
    description: 'For TIDEMARK_RECORD_LOGS in a bucket: a key that may list, read, write and delete there.',
  }),
  awsSecretAccessKey: text({
    variable: 'AWS_SECRET_ACCESS_KEY',
    takes: 'the secret of that key',
    secret: true,
    description: 'For TIDEMARK_RECORD_LOGS in a bucket.',
  }),
  awsSessionToken: text({
    variable: 'AWS_SESSION_TOKEN',
    takes: 'the token of a temporary key',
    secret: true,
    description: 'For TIDEMARK_RECORD_LOGS in a bucket, with temporary credentials.',
  }),
  awsRegion: text({
    variable: 'AWS_REGION',
    takes: 'a region',
    default: 'us-east-1',
    description: 'Of the bucket in TIDEMARK_RECORD_LOGS.',
    parse: (value) => {
      // It becomes a part of a host name.
      if (!/^[a-z0-9-]{1,40}$/.test(value)) throw new Error('not a region');
      return value;
    },
  }),
  awsEndpointUrlS3: text({
    variable: 'AWS_ENDPOINT_URL_S3',
    takes: 'an http:// or https:// URL without a path',
    description: 'Of an S3-compatible store for TIDEMARK_RECORD_LOGS. Default: AWS.',
    parse: (value) => {
      const { origin, pathname, protocol } = new URL(value);
      if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${protocol} is not http(s):`);
      if (pathname !== '/') throw new Error('it has a path');
      return origin;
    },
  }),
  workers: number({
    variable: 'TIDEMARK_WORKERS',
    takes: 'a count, 0 to 64 (0: run "tidemark worker" elsewhere)',
    default: '1',
    description: 'Worker processes that serve starts and keeps running.',
    range: [0, 64],
  }),
  executionsPerWorker: number({
    variable: 'TIDEMARK_EXECUTIONS_PER_WORKER',
    takes: 'a count, 1 to 64',
    default: '4',
    description: 'Executions that one worker process runs at a time.',
    range: [1, 64],
  }),
  executionMemoryMb: number({
    variable: 'TIDEMARK_EXECUTION_MEMORY_MB',
    takes: 'MB, 128 to 65536',
    default: '512',
    description:
      'Resident memory of the process that runs an execution, at most. One that needs more is killed, and its execution goes on in another from its last checkpoint.',
    range: [128, 65_536],
  }),
  silenceSeconds: number({
    variable: 'TIDEMARK_SILENCE_SECONDS',
    takes: 'seconds, 2 to 3600',
    default: '30',
    description:
      'How long the process of an execution may not respond, because one step takes all its time, before it is killed.',
    range: [2, 3600],
  }),
  looks: number({
    variable: 'TIDEMARK_LOOKS',
    takes: 'a count, 1 to 256',
    default: '4',
    description:
      'Requests that speak to systems of users (tests of connections, schemas, samples, previews) which a server answers at a time, each in a process. One organization has all but one of the places at most.',
    range: [1, 256],
  }),
  lookSeconds: number({
    variable: 'TIDEMARK_LOOK_SECONDS',
    takes: 'seconds, 1 to 50',
    default: '15',
    description: 'How long such a request may take until the last byte of its answer.',
    range: [1, 50],
  }),
  lookMemoryMb: number({
    variable: 'TIDEMARK_LOOK_MEMORY_MB',
    takes: 'MB, 192 to 65536',
    default: '384',
    description: 'Resident memory of the process that answers such a request, at most.',
    range: [192, 65_536],
  }),
  bulkRangeRows: number({
    variable: 'TIDEMARK_BULK_RANGE_ROWS',
    takes: 'rows, 1000 to 100000000',
    default: '250000',
    description:
      'Rows of one range of a bulk table, at most: what is read again after a crash. Tables below two ranges are read whole.',
    range: [1000, 100_000_000],
  }),
  bulkStreams: number({
    variable: 'TIDEMARK_BULK_STREAMS',
    takes: 'a count, 1 to 32',
    default: '3',
    description: 'Ranges of one bulk table that are copied at a time.',
    range: [1, 32],
  }),
  eventRetentionHours: number({
    variable: 'TIDEMARK_EVENT_RETENTION_HOURS',
    takes: 'hours, 1 to 8760',
    default: '48',
    description: 'How long events and delivery records are kept.',
    range: [1, 8760],
  }),
  webhookRetrySeconds: {
    variable: 'TIDEMARK_WEBHOOK_RETRY_SECONDS',
    takes: 'up to five waits in seconds separated by commas',
    default: '5,30,180,900,4500',
    description: 'Waits before the retries of a webhook delivery, each spread by ±20 %.',
    parse: (value: string) => {
      const waits = value.split(',').map(Number);
      if (waits.length > 5 || waits.some((wait) => !(wait >= 0 && wait <= 86_400))) {
        throw new Error('not up to five numbers between 0 and 86400');
      }
      return waits;
    },
  } satisfies Setting<number[]>,
  webhookSecret: text({
    variable: 'TIDEMARK_WEBHOOK_SECRET',
    takes: 'a secret',
    secret: true,
    description: 'What "tidemark listen" and "tidemark trigger --forward-to" sign with. Default: a new one.',
  }),
  webhookTimeoutSeconds: number({
    variable: 'TIDEMARK_WEBHOOK_TIMEOUT_SECONDS',
    takes: 'seconds, 1 to 60',
    default: '15',
    description: 'How long an endpoint may take until the last byte of its response.',
    range: [1, 60],
  }),
  webhookConcurrency: number({
    variable: 'TIDEMARK_WEBHOOK_CONCURRENCY',
    takes: 'a count, 1 to 4096',
    default: '256',
    description: 'Webhook requests that one worker process has in flight at most.',
    range: [1, 4096],
  }),
  webhookConcurrencyPerWebhook: number({
    variable: 'TIDEMARK_WEBHOOK_CONCURRENCY_PER_WEBHOOK',
    takes: 'a count, 1 to 4096',
    default: '32',
    description: 'How many of them may go to one webhook.',
    range: [1, 4096],
  }),
  logLevel: text({
    variable: 'TIDEMARK_LOG_LEVEL',
    takes: 'debug, info, warn, error or silent',
    default: 'info',
    description: 'Lowest level of log lines written to standard error.',
    parse: (value) => {
      if (!['debug', 'info', 'warn', 'error', 'silent'].includes(value))
        throw new Error('not one of these levels');
      return value;
    },
  }),
};

type Settings = typeof settings;
type Parsed<Key extends keyof Settings> = ReturnType<Settings[Key]['parse']>;
/** Optional exactly where the table gives no default. */
type Optional =
  | 'databaseUrl'
  | 'duckdbDir'
  | 'publicUrl'
  | 'apiKey'
  | 'partnerKey'
  | 'encryptionKeys'
  | 'recordLogs'
  | 'webhookSecret'
  | 'awsAccessKeyId'
  | 'awsSecretAccessKey'
  | 'awsSessionToken'
  | 'awsEndpointUrlS3';
export type Config = {
  [Key in keyof Settings]: Key extends Optional ? Parsed<Key> | undefined : Parsed<Key>;
} & {
  /** The variables this was read from, defaults included: what a child process needs to read the same. */
  environment: Record<string, string>;
};

/** The table, for help and docs. */
export const configTable: readonly Setting<unknown>[] = Object.values(settings);

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** @throws ConfigError that names the variable and what it takes. An empty variable counts as not set. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const read: Record<string, string> = {};
  const entries = Object.entries(settings).map(([key, setting]: [string, Setting<unknown>]) => {
    const value = givenValue(setting, environment) || setting.default;
    // What is read is handed on as a value: a child must not find two.
    if (setting.secret) read[fileVariable(setting)] = '';
    if (value === undefined) return [key, undefined];
    read[setting.variable] = value;
    try {
      return [key, setting.parse(value)];
    } catch (error) {
      const shown = setting.secret ? '' : ` ${JSON.stringify(value)}`;
      throw new ConfigError(`${setting.variable}${shown}: ${reasonOf(error)}. It takes ${setting.takes}.`);
    }
  });
  return { ...Object.fromEntries(entries), environment: read } as Config;
}

/** Secrets may come as files, as orchestrators hand them out: an environment shows in more places than one expects. */
const fileVariable = ({ variable }: Setting<unknown>) => `${variable}_FILE`;

function givenValue(
  setting: Setting<unknown>,
  environment: Record<string, string | undefined>,
): string | undefined {
  const value = environment[setting.variable];
  const file = setting.secret ? environment[fileVariable(setting)] : undefined;
  if (!file) return value;
  if (value) {
    throw new ConfigError(
      `${setting.variable}: ${fileVariable(setting)} is set, too. Set one of them, or leave one empty.`,
    );
  }
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text === '') throw new Error('the file is empty');
    return text;
  } catch (error) {
    throw new ConfigError(
      `${fileVariable(setting)} ${JSON.stringify(file)}: ${reasonOf(error)}. ` +
        `It takes a file that holds ${setting.takes}.`,
    );
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A line for every TIDEMARK_ variable that is no setting: it does nothing, which its author should know. */
export function unknownVariables(environment: Record<string, string | undefined>): string[] {
  const known = configTable.flatMap((setting) =>
    setting.secret ? [setting.variable, fileVariable(setting)] : [setting.variable],
  );
  return Object.entries(environment)
    .filter(([name, value]) => value && /^TIDEMARK_(?!TEST_)/i.test(name) && !known.includes(name))
    .map(
      ([name]) =>
        `${name} is set, and there is no such setting.${didYouMean(name, known)} "tidemark --help" lists all.`,
    );
}

/** Ranges by the name they have in TIDEMARK_EGRESS_ALLOW. */
const namedRanges: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'],
};

function rangeOf(text: string): string {
  parseCidr(text);
  return text;
}

function text(
  setting: Omit<Setting<string>, 'parse'> & { parse?: (value: string) => string },
): Setting<string> {
  return { parse: (value) => value, ...setting };
}

function number(setting: Omit<Setting<number>, 'parse'> & { range: [number, number] }): Setting<number> {
  const { range, ...rest } = setting;
  const [low, high] = range;
  const parse = (value: string) => {
    const parsed = Number(value);
    if (!Number.isInteger(parsed)) throw new Error('not a whole number');
    if (parsed < low || parsed > high) throw new Error('out of range');
    return parsed;
  };
  return { ...rest, parse };
}

function atLeast16(value: string): string {
  if (value.length < 16) throw new Error('too short');
  return value;
}
