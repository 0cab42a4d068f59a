import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pieces } from '../../lib/pieces.ts';
import type { RowStream } from '../contract.ts';

/** Lines of COPY text. */
export type Lines = Readable & Pick<RowStream, 'recycle'>;

/** Bytes of one part: at most two are on the disk at a time. */
const partLength = 64 * 1024 * 1024;
const newline = 0x0a;
/** Parts so far, of all streams: several may go to one folder. */
let parts = 0;

/** Skipped by who reads a part. Without it a byte order mark that the first value begins with would be lost. */
export const partHeader = 'part\n';

/**
 * Writes a stream of lines to files of whole lines, one after the other. The next one is written as soon as it is
 * asked for; who is done with a file removes it.
 *
 * @param pad puts an empty field behind each line: a line that is empty would not be read back.
 */
export async function* spool(rows: Lines, folder: string, pad: boolean): AsyncGenerator<string> {
  let file = await openPart(folder);
  let length = 0;
  try {
    for await (const chunk of pieces(rows)) {
      const bytes = pad ? padded(chunk) : chunk;
      const end = length + bytes.length < partLength ? 0 : bytes.lastIndexOf(newline) + 1;
      if (end > 0) {
        await file.handle.writeFile(bytes.subarray(0, end));
        await file.handle.close();
        yield file.name;
        file = await openPart(folder);
        length = 0;
      }
      await file.handle.writeFile(bytes.subarray(end));
      length += bytes.length - end;
      rows.recycle?.(chunk);
    }
  } finally {
    await file.handle.close();
  }
  if (length > 0) yield file.name;
}

/** Bytes of the longest line of a part, with its end. */
export async function longestLine(part: string): Promise<number> {
  let [longest, length] = [0, 0];
  for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      longest = Math.max(longest, length + end + 1 - start);
      length = 0;
      start = end + 1;
    }
    length += chunk.length - start;
  }
  return longest;
}

async function openPart(folder: string) {
  const name = path.join(folder, `part-${++parts}`);
  const handle = await open(name, 'w', 0o600);
  await handle.writeFile(partHeader);
  return { name, handle };
}

function padded(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('\n', '\t\n'), 'latin1');
}
