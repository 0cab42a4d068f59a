import type { ByteWriter } from '../lib/byte-writer.ts';
import { behindTab } from '../lib/copy-text.ts';

/**
 * The values of a line as one field of another, for SQL that moves them without a look: COPY text within COPY text, in
 * which tabs and backslashes are escaped once more.
 */
const [tab, newline, backslash, letterT] = [0x09, 0x0a, 0x5c, 0x74];

/** @param lines of key, hash and values, the one from `start` to before `end`. */
export function nestValues(out: ByteWriter, lines: Buffer, start: number, end: number): void {
  out.reserve(2 * (end - start) + 2);
  const { bytes } = out;
  let { at } = out;
  let tabs = 0;
  for (let from = start; from < end; from++) {
    const byte = lines[from] ?? 0;
    if (tabs === 2 && byte === backslash) {
      bytes[at++] = backslash;
    } else if (byte === tab && ++tabs > 2) {
      tabs = 2;
      bytes[at++] = backslash;
      bytes[at++] = letterT;
      continue;
    }
    bytes[at++] = byte;
  }
  if (tabs < 2) bytes[at++] = tab;
  bytes[at++] = newline;
  out.at = at;
}

/** @param lines of key, hash and nested values. Written is a line of key, hash and values, without its end. */
export function unnestValues(out: ByteWriter, lines: Buffer, start: number, end: number): void {
  const values = behindTab(lines, behindTab(lines, start));
  out.copy(lines, start, values);
  out.reserve(end - values);
  const { bytes } = out;
  let { at } = out;
  for (let from = values; from < end; from++) {
    let byte = lines[from] ?? 0;
    if (byte === backslash) {
      byte = lines[++from] ?? 0;
      if (byte === letterT) byte = tab;
      // A character that had no escape of its own before: now it has one.
      else if (byte !== backslash) bytes[at++] = backslash;
    }
    bytes[at++] = byte;
  }
  out.at = at;
}
