import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SourceRecord } from '../connectors/index.ts';
import { decodeCopyText, encodeCopyText } from '../lib/copy-text.ts';
import { tempFolder } from '../lib/temp-folder.ts';

/** Records by way of a file: who works on them for hours keeps nothing open in their source meanwhile. */
export async function* spooled(batches: AsyncIterable<SourceRecord[]>): AsyncGenerator<SourceRecord[]> {
  await using folder = await tempFolder();
  const file = folder.file();
  await pipeline(Readable.from(lines(batches)), createWriteStream(file, { mode: 0o600 }));
  for await (const rows of decodeCopyText(createReadStream(file))) {
    yield rows.map(([key = null, hash, problem = null, ...values]) => ({
      key,
      hash: hash ?? '0',
      ...(problem === null ? {} : { problem }),
      values,
    }));
  }
}

async function* lines(batches: AsyncIterable<SourceRecord[]>): AsyncGenerator<string> {
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    yield encodeCopyText(
      batch.map(({ key, hash, problem = null, values }) => [key, hash, problem, ...values]),
    );
  }
}
