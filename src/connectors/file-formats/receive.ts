import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { TidemarkError } from '../../errors.ts';

/** Bytes a file may have, as it comes and as it is unpacked. */
export const largestFile = 5 * 1024 ** 3;

export interface Reception {
  /** What the file is called in a message. */
  name: string;
  limit?: number;
  signal?: AbortSignal;
}

/**
 * Stores a stream in a file, unpacked if it is gzip (told by its first bytes: names and headers lie).
 *
 * @throws unprocessable for one that is too big or damaged; the stream's own error when it breaks off.
 */
export async function receive(
  source: AsyncIterable<Uint8Array>,
  file: string,
  { name, limit = largestFile, signal }: Reception,
): Promise<void> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await firstBytes(chunks);
  const zipped = first[0] === 0x1f && first[1] === 0x8b;
  const rest = async function* () {
    try {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  };
  const unpacked = zipped ? [createGunzip(), atMost(limit, name)] : [];
  const stages = [Readable.from(rest()), atMost(limit, name), ...unpacked, createWriteStream(file)];
  try {
    await pipeline(stages, signal === undefined ? {} : { signal });
  } catch (error) {
    if (/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) {
      const reason = `${name} looks like gzip and cannot be unpacked: it is damaged or cut off`;
      throw new TidemarkError('unprocessable', { reason }, { cause: error });
    }
    throw error;
  }
}

export function tooBig(name: string, limit: number): TidemarkError {
  const size = limit >= 1024 ** 3 ? `${limit / 1024 ** 3} GiB` : `${limit} bytes`;
  const reason = `${name} is larger than ${size}, the most that is read of one file: split it`;
  return new TidemarkError('unprocessable', { reason });
}

/** Two bytes at least, unless there are fewer. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  return first;
}

function atMost(limit: number, name: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limit) done(tooBig(name, limit));
      else done(null, chunk);
    },
  });
}
