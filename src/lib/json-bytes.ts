import type { ByteWriter } from './byte-writer.ts';
import { unescaped } from './copy-text.ts';
import { jsonText, type TextType } from './pg-text.ts';

/** Writes a field of COPY text, which is not NULL, as JSON. */
export type JsonWriter = (out: ByteWriter, source: Buffer, start: number, end: number) => void;

const [quote, backslash] = [0x22, 0x5c];
const [zero, nine, minus, dot] = [0x30, 0x39, 0x2d, 0x2e];
/** What stands behind a backslash in COPY text and in JSON alike. */
const sameEscapes = new Set([...'\\bfnrt'].map((letter) => letter.charCodeAt(0)));

const literals = { t: Buffer.from('true'), f: Buffer.from('false') };

/** `jsonText` for values of one type, on bytes: what is common is done here, everything else there. */
export function jsonWriter(type: TextType): JsonWriter {
  const rare: JsonWriter = (out, source, start, end) =>
    out.text(jsonText(unescaped(source.toString('utf8', start, end)), type));
  const string: JsonWriter = (out, source, start, end) => {
    if (!writeString(out, source, start, end)) rare(out, source, start, end);
  };
  switch (type.type) {
    case 'number':
      return (out, source, start, end) => {
        if (isPlainNumber(source, start, end)) out.copy(source, start, end);
        else rare(out, source, start, end);
      };
    case 'datetime':
      return (out, source, start, end) => {
        if (!writeTime(out, source, start, end)) rare(out, source, start, end);
      };
    case 'boolean':
      return (out, source, start, end) => {
        const letter = end - start === 1 ? source[start] : 0;
        if (letter === 0x74) out.copy(literals.t);
        else if (letter === 0x66) out.copy(literals.f);
        else rare(out, source, start, end);
      };
    case 'array':
      return rare;
    case 'object':
      return jsonText('{}', type) === '{}' ? jsonItself(rare) : string;
    default:
      return string;
  }
}

/** @returns false, and nothing is written, when it has another escape than those of JSON. */
export function writeString(out: ByteWriter, source: Buffer, start: number, end: number): boolean {
  out.reserve(6 * (end - start) + 2);
  const { bytes } = out;
  let { at } = out;
  bytes[at++] = quote;
  for (let from = start; from < end; from++) {
    const byte = source[from] ?? 0;
    if (byte === backslash) {
      const letter = source[++from] ?? 0;
      if (!sameEscapes.has(letter)) return false;
      bytes[at++] = backslash;
      bytes[at++] = letter;
    } else if (byte === quote) {
      bytes[at++] = backslash;
      bytes[at++] = quote;
    } else if (byte < 0x20) {
      at += bytes.write(JSON.stringify(String.fromCharCode(byte)).slice(1, -1), at);
    } else {
      bytes[at++] = byte;
    }
  }
  bytes[at++] = quote;
  out.at = at;
  return true;
}

/** A text that is JSON: only a backslash is another one in COPY text. */
function jsonItself(rare: JsonWriter): JsonWriter {
  return (out, source, start, end) => {
    out.reserve(end - start);
    const { bytes } = out;
    let { at } = out;
    for (let from = start; from < end; from++) {
      const byte = source[from] ?? 0;
      bytes[at++] = byte;
      if (byte === backslash && source[++from] !== backslash) return rare(out, source, start, end);
    }
    out.at = at;
  };
}

/** Digits, with a point among them or a minus before. */
function isPlainNumber(source: Buffer, start: number, end: number): boolean {
  const first = source[start] === minus ? start + 1 : start;
  if (source[first] === zero && end - first > 1 && source[first + 1] !== dot) return false;
  let points = 0;
  for (let at = first; at < end; at++) {
    const byte = source[at] ?? 0;
    if (byte === dot) points++;
    else if (byte < zero || byte > nine) return false;
  }
  return end > first && points < 2 && source[first] !== dot && source[end - 1] !== dot;
}

/** `2024-01-31 12:34:56.789+00` or without the zone. @returns false, and nothing is written, for every other text. */
function writeTime(out: ByteWriter, source: Buffer, start: number, end: number): boolean {
  const zoned = source[end - 3] === 0x2b && source[end - 2] === zero && source[end - 1] === zero;
  const length = (zoned ? end - 3 : end) - start;
  if (length < 19 || length === 20 || length > form.length) return false;
  out.reserve(length + 3);
  const { bytes } = out;
  let { at } = out;
  bytes[at++] = quote;
  for (let index = 0; index < length; index++) {
    const byte = source[start + index] ?? 0;
    const expected = form[index] ?? zero;
    if (expected === zero ? byte < zero || byte > nine : byte !== expected) return false;
    bytes[at++] = byte;
  }
  bytes[out.at + 11] = 0x54;
  if (zoned) bytes[at++] = 0x5a;
  bytes[at++] = quote;
  out.at = at;
  return true;
}

const form = Buffer.from('0000-00-00 00:00:00.000000000');
