import { type Static, Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import { textSettings } from '../file-formats/text-settings.ts';

const eventsNotBuilt = 'notifications of the bucket are not read: a schedule finds new files; leave it out';

const FileFormat = Type.Enum(['csv', 'json', 'parquet']);

/**
 * The keys are Polytomic's, so that a configuration written for it works here; `endpoint`, `path_style` and
 * what `csv_` begins beside `csv_has_headers` are ours.
 */
export const configuration = Type.Object(
  {
    auth_mode: Type.Enum(['access_key_and_secret', 'iam_role'], {
      title: 'Authentication',
      default: 'access_key_and_secret',
    }),
    aws_access_key_id: Type.Optional(Type.String({ title: 'Access key id' })),
    aws_secret_access_key: Type.Optional(Type.String({ title: 'Secret access key', sensitive: true })),
    aws_user: Type.Optional(Type.String({ readOnly: true })),
    iam_role_arn: Type.Optional(Type.String({ title: 'IAM role ARN', description: 'Not built yet.' })),
    external_id: Type.Optional(Type.String({ readOnly: true })),
    s3_bucket_region: Type.String({ title: 'Region', minLength: 1, examples: ['us-east-1'] }),
    s3_bucket_name: Type.String({
      title: 'Bucket, and a folder in it',
      minLength: 1,
      examples: ['s3://example/dataset'],
    }),
    endpoint: Type.Optional(
      Type.String({
        title: 'Endpoint',
        description: 'Of an S3-compatible store, e.g. https://storage.example.com. Default: AWS.',
      }),
    ),
    path_style: Type.Optional(
      Type.Boolean({
        title: 'Bucket in the path',
        description: 'https://host/bucket instead of https://bucket.host. Default: with an endpoint.',
      }),
    ),
    enable_event_notifications: Type.Optional(Type.Boolean({ refused: eventsNotBuilt })),
    event_queue_arn: Type.Optional(Type.String({ refused: eventsNotBuilt })),
    csv_has_headers: Type.Optional(
      Type.Boolean({ title: 'CSV files begin with field names', default: true }),
    ),
    csv_delimiter: Type.Optional(textSettings.delimiter),
    csv_quote: Type.Optional(textSettings.quote),
    csv_escape: Type.Optional(textSettings.escape),
    csv_encoding: Type.Optional(textSettings.encoding),
    is_single_table: Type.Optional(
      Type.Boolean({ title: 'The files are parts of one table', default: false }),
    ),
    is_directory_snapshot: Type.Optional(Type.Boolean({ title: 'Each folder is one table', default: false })),
    directory_glob_pattern: Type.Optional(
      Type.String({ title: 'Folders that are tables', examples: ['*', 'exports/*'] }),
    ),
    single_table_name: Type.Optional(
      Type.String({ title: 'Name of the one table', examples: ['collection'] }),
    ),
    single_table_file_format: Type.Optional(FileFormat),
    single_table_file_formats: Type.Optional(Type.Array(FileFormat)),
    skip_lines: Type.Optional(
      Type.Integer({ title: 'Lines to skip in each CSV file', minimum: 0, maximum: 1000, default: 0 }),
    ),
  },
  { title: 'S3' },
);

export type Configuration = Static<typeof configuration>;

/** What a configuration comes down to. */
export interface Place {
  endpoint: string;
  region: string;
  pathStyle: boolean;
  bucket: string;
  /** Empty, or with a slash at its end. */
  prefix: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

/** @throws unprocessable for what cannot work. */
export function placeOf(settings: Configuration): Place {
  if (settings.auth_mode === 'iam_role') {
    throw wrong('auth_mode', 'iam_role is not built yet; use access_key_and_secret');
  }
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = settings;
  if (!accessKeyId) throw wrong('aws_access_key_id', 'is needed with access_key_and_secret');
  if (!secretAccessKey) throw wrong('aws_secret_access_key', 'is needed with access_key_and_secret');
  const region = settings.s3_bucket_region;
  // It becomes a part of a host name.
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw wrong('s3_bucket_region', `${region} is no region`);
  const [bucket = '', ...folders] = settings.s3_bucket_name.replace(/^s3:\/\//, '').split('/');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$/.test(bucket)) {
    throw wrong('s3_bucket_name', `${bucket} is no name of a bucket`);
  }
  const folder = folders.filter((part) => part !== '').join('/');
  return {
    endpoint: endpointOf(settings),
    region,
    pathStyle: settings.path_style ?? Boolean(settings.endpoint),
    bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    credentials: { accessKeyId, secretAccessKey },
  };
}

function endpointOf({ endpoint, s3_bucket_region: region }: Configuration): string {
  if (!endpoint) return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw wrong('endpoint', 'is not an http:// or https:// URL');
  }
  const { origin, pathname } = new URL(endpoint);
  if (pathname !== '/') throw wrong('endpoint', 'takes no path; the bucket belongs into s3_bucket_name');
  return origin;
}

function wrong(key: string, reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason: `configuration.${key}: ${reason}` });
}
