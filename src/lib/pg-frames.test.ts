import { expect, test } from 'vitest';
import { copyDataHeader, FrameOpener, FrameSorter } from './pg-frames.ts';

const frame = (kind: string, body: string) => {
  const header = copyDataHeader(Buffer.byteLength(body));
  header.write(kind, 0, 'latin1');
  return Buffer.concat([header, Buffer.from(body)]);
};
const rowFrames = [frame('d', 'first row'), frame('d', ''), frame('d', 'd'.repeat(300)), frame('d', '\n')];
const [first, empty, long, last] = rowFrames as [Buffer, Buffer, Buffer, Buffer];
const notice = frame('N', 'a notice with d in it');
const ending = Buffer.concat([frame('c', ''), frame('C', 'COPY 4\0'), frame('Z', 'I')]);
const stream = Buffer.concat([frame('H', '\x00\x00\x00'), first, empty, notice, long, last, ending]);
const expectedRows = Buffer.concat(rowFrames);
const expectedOthers = Buffer.concat([frame('H', '\x00\x00\x00'), notice, ending]);

function sort(chunks: Buffer[]) {
  const rows: Buffer[] = [];
  const others: Buffer[] = [];
  const sorter = new FrameSorter({
    copyData: (bytes) => rows.push(bytes),
    other: (bytes) => others.push(bytes),
  });
  for (const chunk of chunks) sorter.push(chunk);
  return { rows: Buffer.concat(rows), others: Buffer.concat(others), frames: sorter.frames };
}

test('sorts frames wherever the stream is cut in two', () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const { rows, others, frames } = sort([stream.subarray(0, cut), stream.subarray(cut)]);
    expect(rows.equals(expectedRows), `rows, cut at ${cut}`).toBe(true);
    expect(others.equals(expectedOthers), `others, cut at ${cut}`).toBe(true);
    expect(frames).toBe(4);
  }
});

test('sorts frames that arrive in pieces of every size', () => {
  for (let size = 1; size <= 16; size++) {
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    expect(sort(pieces).rows.equals(expectedRows), `pieces of ${size}`).toBe(true);
    expect(sort(pieces).others.equals(expectedOthers), `pieces of ${size}`).toBe(true);
  }
});

test('gives runs of rows in one piece, without copying', () => {
  const given: Buffer[] = [];
  const sorter = new FrameSorter({ copyData: (bytes) => given.push(bytes), other: () => {} });
  sorter.push(expectedRows);
  expect(given).toHaveLength(1);
  expect(given[0]?.buffer).toBe(expectedRows.buffer);
});

test('opens frames wherever the stream is cut', () => {
  const bodies = `first row${'d'.repeat(300)}\n`;
  for (let cut = 0; cut <= expectedRows.length; cut++) {
    const opener = new FrameOpener();
    const copy = Buffer.from(expectedRows);
    const opened = Buffer.concat([opener.open(copy.subarray(0, cut)), opener.open(copy.subarray(cut))]);
    expect(opened.toString(), `cut at ${cut}`).toBe(bodies);
  }
});
