import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { GetObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { TidemarkError } from '../../errors.ts';
import { version } from '../../lib/version.ts';
import { ConnectionLost, type ConnectorContext } from '../contract.ts';
import type { Place } from './configuration.ts';
import { egressHandler } from './http-handler.ts';
import { explain, isMissing, isOvertaken, isUnsupported } from './store-errors.ts';

/** Bytes that are sent at a time; a file that is bigger goes up in parts. */
const partSize = 8 * 1024 * 1024;

/** The most bytes of an object that is read or written as one text. */
const longestText = 64 * 1024 * 1024;

/** Times a download that broke off is taken up again without having come any further. */
const resumptions = 3;

export interface StoredObject {
  key: string;
  size: number;
  etag: string;
  modified: Date;
}

/**
 * The objects of one bucket, by their whole keys. Whatever fails is tried again by the SDK where that may help.
 *
 * @throws ConnectionLost when the store cannot be reached, unprocessable when it refuses.
 */
export interface ObjectStore {
  /** In the store's order, which is not the same everywhere. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Everything, in pieces; goes on where it broke off, as long as the object is still the version with the etag. */
  read(object: { key: string; size: number; etag?: string }): AsyncIterable<Uint8Array>;
  /** Its first bytes, or its last ones when `bytes` is negative. */
  part(object: StoredObject, bytes: number): Promise<Buffer>;
  /** Undefined: there is no such object. */
  text(key: string): Promise<{ text: string; etag: string } | undefined>;
  /** @param replaces the etag of what it takes the place of, null for nothing. @throws Overtaken otherwise. */
  write(key: string, text: string, replaces?: string | null): Promise<void>;
  upload(key: string, file: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Somebody else has written the object since it was read. Stores that know no conditions never tell. */
export class Overtaken extends Error {
  override name = 'Overtaken';
}

type Sdk = typeof import('@aws-sdk/client-s3');

export function objectStore(place: Place, { egress, signal }: ConnectorContext): ObjectStore {
  // Loaded when it is needed: the SDK takes a quarter of a second and 35 MB.
  let opened: Promise<{ sdk: Sdk; client: S3Client }> | undefined;
  const abort = signal === undefined ? {} : { abortSignal: signal };
  const Bucket = place.bucket;

  const call = async <Result>(use: (sdk: Sdk, client: S3Client) => Promise<Result>): Promise<Result> => {
    opened ??= import('@aws-sdk/client-s3').then((sdk) => ({ sdk, client: connect(sdk) }));
    const { sdk, client } = await opened;
    try {
      return await use(sdk, client);
    } catch (error) {
      throw signal?.aborted ? signal.reason : explain(error, place);
    }
  };

  const connect = (sdk: Sdk) =>
    new sdk.S3Client({
      endpoint: place.endpoint,
      region: place.region,
      forcePathStyle: place.pathStyle,
      credentials: place.credentials,
      requestHandler: egressHandler(egress),
      maxAttempts: 5,
      // Said here, because the SDK reads from the environment and files of the host what is not said.
      retryMode: 'standard',
      defaultsMode: 'standard',
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      authSchemePreference: ['sigv4'],
      sigv4aSigningRegionSet: [place.region],
      disableS3ExpressSessionAuth: true,
      useArnRegion: false,
      useDualstackEndpoint: false,
      useFipsEndpoint: false,
      userAgentAppId: 'tidemark',
      // The SDK's own names the AWS_EXECUTION_ENV of the host.
      defaultUserAgentProvider: async () => [['tidemark', version]],
    });

  const get = (input: Omit<GetObjectCommandInput, 'Bucket'>) =>
    call(async (sdk, client) => {
      const answer = await client.send(new sdk.GetObjectCommand({ Bucket, ...input }), abort);
      const body = answer.Body as Readable;
      if (input.Range === undefined || answer.$metadata.httpStatusCode === 206) {
        return { body, etag: answer.ETag ?? '' };
      }
      body.destroy();
      throw unfit(`${place.endpoint} sends ${input.Key} from its beginning where a part of it is asked for`);
    });

  const put = (key: string, text: string, condition: { IfMatch?: string; IfNoneMatch?: string }) =>
    call((sdk, client) =>
      client.send(new sdk.PutObjectCommand({ Bucket, Key: key, Body: text, ...condition }), abort),
    );

  return {
    async *list(prefix) {
      let token: string | undefined;
      do {
        const page = await call((sdk, client) =>
          client.send(
            new sdk.ListObjectsV2Command({ Bucket, Prefix: prefix, ContinuationToken: token }),
            abort,
          ),
        );
        for (const { Key: key = '', Size: size = 0, ETag: etag = '', LastModified } of page.Contents ?? []) {
          yield { key, size, etag, modified: LastModified ?? new Date(0) };
        }
        const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        if (page.IsTruncated === true && (!next || next === token)) {
          throw unfit(`${place.endpoint} says that its list of objects goes on, and not where`);
        }
        token = next;
      } while (token !== undefined);
    },

    async *read({ key, size, etag }) {
      if (size === 0) return;
      let offset = 0;
      for (let failures = 0; ; ) {
        const { body } = await get({
          Key: key,
          ...(etag && { IfMatch: etag }),
          ...(offset > 0 && { Range: `bytes=${offset}-` }),
        });
        try {
          for await (const chunk of body as AsyncIterable<Uint8Array>) {
            offset += chunk.length;
            failures = 0;
            if (offset > size) break;
            yield chunk;
          }
          if (offset === size) return;
          throw unfit(
            `${key} has ${offset > size ? 'more' : 'less'} than the ${size} bytes it is said to have`,
          );
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (error instanceof TidemarkError) throw error;
          if (offset === size) return;
          if (++failures > resumptions) throw explain(error, place);
        }
      }
    },

    async part({ key, size, etag }, length) {
      if (size === 0) return Buffer.alloc(0);
      const wanted = Math.min(size, Math.abs(length));
      const from = length < 0 ? size - wanted : 0;
      const range = wanted === size ? {} : { Range: `bytes=${from}-${from + wanted - 1}` };
      const { body } = await get({ Key: key, IfMatch: etag, ...range });
      try {
        const bytes = await bufferOf(body, wanted, key);
        if (bytes.length < wanted)
          throw new ConnectionLost(`${key} ended after ${bytes.length} of ${wanted} bytes`);
        return bytes;
      } catch (error) {
        throw explain(error, place);
      }
    },

    async text(key) {
      try {
        const { body, etag } = await get({ Key: key });
        return { text: `${await bufferOf(body, longestText, key)}`, etag };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw explain(error, place);
      }
    },

    async write(key, text, replaces) {
      if (Buffer.byteLength(text) > longestText) {
        throw unfit(
          `${key} would have more than ${longestText} bytes: set a partition_key with fewer values`,
        );
      }
      const condition =
        replaces === undefined ? {} : replaces === null ? { IfNoneMatch: '*' } : { IfMatch: replaces };
      try {
        await put(key, text, condition);
      } catch (error) {
        if (isOvertaken(error))
          throw new Overtaken(`${key} has been written by somebody else`, { cause: error });
        if (replaces === undefined || !isUnsupported(error)) throw error;
        await put(key, text, {});
      }
    },

    upload: (key, file) =>
      call(async (_, client) => {
        const { Upload } = await import('@aws-sdk/lib-storage');
        const Body = createReadStream(file, { highWaterMark: 1024 * 1024 });
        const upload = new Upload({ client, params: { Bucket, Key: key, Body }, partSize, queueSize: 2 });
        const giveUp = () => void upload.abort();
        signal?.addEventListener('abort', giveUp, { once: true });
        try {
          await upload.done();
        } finally {
          signal?.removeEventListener('abort', giveUp);
          Body.destroy();
        }
      }),

    copy: (from, to) =>
      call(async (sdk, client) => {
        const CopySource = `${Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
        await client.send(new sdk.CopyObjectCommand({ Bucket, Key: to, CopySource }), abort);
      }),

    remove: (key) =>
      call(async (sdk, client) => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: key }), abort);
      }),
  };
}

async function bufferOf(body: AsyncIterable<Uint8Array>, most: number, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > most) throw unfit(`${key} has more than the ${most} bytes that are taken of it`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function unfit(reason: string): TidemarkError {
  return new TidemarkError('unprocessable', { reason });
}
