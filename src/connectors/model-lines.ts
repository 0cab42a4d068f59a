import { decodeCopyText } from '../lib/copy-text.ts';
import type { Batches, KeyAndHash, SourceRecord } from './contract.ts';

/** @param lines of COPY text: key, hash. Begins a read. */
export function keysOf(lines: () => AsyncIterable<Buffer>): Batches<KeyAndHash> {
  return {
    lines,
    async *[Symbol.asyncIterator]() {
      for await (const rows of decodeCopyText(lines())) {
        yield rows.map(([key = null, hash]) => ({ key, hash: hash ?? '0' }));
      }
    },
  };
}

/** @param lines of COPY text: key, hash, values. Begins a read. */
export function recordsOf(lines: () => AsyncIterable<Buffer>): Batches<SourceRecord> {
  return {
    lines,
    async *[Symbol.asyncIterator]() {
      for await (const rows of decodeCopyText(lines())) {
        yield rows.map(([key = null, hash, ...values]) => ({ key, hash: hash ?? '0', values }));
      }
    },
  };
}
