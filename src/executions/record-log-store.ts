import type { Readable } from 'node:stream';
import { type Config, ConfigError } from '../config.ts';
import { objectStore, placeOf } from '../connectors/index.ts';
import { createEgress } from '../egress/index.ts';
import type { Execution } from './contract.ts';
import { folderLogs } from './folder-logs.ts';
import { objectLogs } from './object-logs.ts';

export type Located = Pick<Execution, 'organizationId' | 'id'>;

export interface StoredFile {
  /** log<unix seconds>-<uuid>.json */
  filename: string;
  /** Acknowledged ones: what comes after them was never committed. */
  bytes: number;
  /** Acknowledged ones, of a file that is made of such; null for one that is appended to. */
  parts: number | null;
}

/** A file that its writer adds to. */
export interface OpenLog {
  /** As `StoredFile.parts`, after everything that was added. */
  readonly parts: number | null;
  append(...pieces: Buffer[]): Promise<void>;
  close(): Promise<void>;
}

/** Where record logs are kept. It knows bytes; which of them count is on record in the database. */
export interface RecordLogStore {
  /** Absent: nothing is recorded. What is in the data directory from before can be read all the same. */
  create?(execution: Located, filename: string): Promise<OpenLog>;
  /** What is acknowledged of a file. @throws not_found when it is not there any more. */
  read(execution: Located, file: StoredFile): Promise<Readable>;
  /** Removes what is stored of an execution and does not belong to the files that are `kept`. */
  sweep(execution: Located, kept: readonly StoredFile[]): Promise<void>;
}

type Settings = Pick<
  Config,
  | 'recordLogs'
  | 'awsAccessKeyId'
  | 'awsSecretAccessKey'
  | 'awsSessionToken'
  | 'awsRegion'
  | 'awsEndpointUrlS3'
>;

export interface OpenedStore {
  recordLogs: RecordLogStore;
  /** @throws TidemarkError when it refuses, another error when it cannot be reached. */
  test(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The store that is configured. Beside a bucket, and with `off`, files in the data directory can be read: they may be from
 * before.
 *
 * @param folder of the data directory. @throws ConfigError
 */
export function openRecordLogStore(settings: Settings, folder: string): OpenedStore {
  const { recordLogs: place } = settings;
  const local = folderLogs(place === undefined || /^off$|^s3:/.test(place) ? folder : place);
  const nothing = async () => {};
  if (place === 'off') {
    const { read, sweep } = local;
    return { recordLogs: { read, sweep }, test: nothing, close: nothing };
  }
  if (!place?.startsWith('s3://')) return { recordLogs: local, test: nothing, close: nothing };
  // The operator's own store may be anywhere: the guard is about addresses that users give.
  const egress = createEgress({ allow: ['0.0.0.0/0', '::/0'] });
  const bucket = bucketOf(place, settings);
  const { prefix } = bucket;
  const store = objectStore(bucket, { egress });
  const objects = objectLogs(store, prefix);
  return {
    recordLogs: {
      create: objects.create,
      read: (execution, file) => (file.parts === null ? local : objects).read(execution, file),
      async sweep(execution, kept) {
        await local.sweep(execution, kept);
        await objects.sweep(execution, kept);
      },
    },
    async test() {
      for await (const _ of store.list(prefix)) break;
    },
    close: () => egress.close(),
  };
}

function bucketOf(place: string, settings: Settings) {
  const { awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey } = settings;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError(
      `TIDEMARK_RECORD_LOGS ${place}: needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a key that may list, read, write and delete there.`,
    );
  }
  const { awsRegion, awsEndpointUrlS3: endpoint, awsSessionToken: sessionToken } = settings;
  const bucket = placeOf({
    auth_mode: 'access_key_and_secret',
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    s3_bucket_region: awsRegion,
    s3_bucket_name: place,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return sessionToken === undefined
    ? bucket
    : { ...bucket, credentials: { ...bucket.credentials, sessionToken } };
}
