import type { SourceRecord } from '../connectors/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { behindField, behindTab, encodeCopyText } from '../lib/copy-text.ts';
import { eachLine } from '../lib/whole-lines.ts';
import { withStorableKey } from '../models/index.ts';
import { PieceWriter } from './plan-pieces.ts';

const newline = 0x0a;

/** Bytes that are written to the plan at a time. */
const atATime = 2 * 1024 * 1024;

/** Some records on their way into a plan. Once the next are asked for, only those that come then may be kept. */
export interface PlanPart {
  count: number;
  /** COPY BINARY, see `plan-pieces.ts`. */
  pieces: Buffer;
  /** COPY text: n, key, hash and, where records are rows, problem. */
  keys: Buffer;
}

/** @param chunks whole lines of COPY text with key, hash and values: what the values are is not looked at. */
export async function* partsOfLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<PlanPart> {
  const writer = new PieceWriter(atATime);
  let [keys, otherKeys] = [new ByteWriter(atATime >> 1), new ByteWriter(atATime >> 1)];
  let before = 0;
  const take = () => {
    const taken = { count: writer.count - before, pieces: writer.take(), keys: keys.written() };
    [keys, otherKeys] = [otherKeys, keys];
    keys.clear();
    before = writer.count;
    return taken;
  };
  for await (const lines of chunks) {
    for (const [start, end] of eachLine(lines)) {
      writer.add(lines, start, end);
      addKey(keys, writer);
    }
    if (writer.isFull) yield take();
  }
  if (writer.count > before) yield take();
}

/** Of the line that was added last. */
function addKey(keys: ByteWriter, { bytes, lineStart }: PieceWriter): void {
  const hash = behindTab(bytes, behindTab(bytes, lineStart));
  keys.copy(bytes, lineStart, behindField(bytes, hash));
  keys.byte(newline);
}

/** The same of records that come as rows. */
export async function* partsOfRows(
  batches: AsyncIterable<readonly SourceRecord[]>,
): AsyncGenerator<PlanPart> {
  const writer = new PieceWriter(atATime);
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    const keys = batch.map((row) => {
      const { key, hash, values, problem = null } = withStorableKey(row);
      const line = Buffer.from(encodeCopyText([[key, hash, ...values]]));
      writer.add(line, 0, line.length - 1);
      return [String(writer.count), key, hash, problem];
    });
    yield { count: batch.length, pieces: writer.take(), keys: Buffer.from(encodeCopyText(keys)) };
  }
}
