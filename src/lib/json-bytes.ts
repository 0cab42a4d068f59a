import type { ByteWriter } from './byte-writer.ts';
import { behindField, unescaped } from './copy-text.ts';
import { jsonText, type TextType } from './pg-text.ts';

/**
 * Writes a field of COPY text, which is not NULL, as JSON.
 *
 * @param limit where the line ends. @returns where the field does: it is looked for on the way.
 */
export type JsonWriter = (out: ByteWriter, source: Buffer, start: number, limit: number) => number;

const [quote, backslash, tab, newline] = [0x22, 0x5c, 0x09, 0x0a];
const [zero, nine, minus, dot] = [0x30, 0x39, 0x2d, 0x2e];
/** What stands behind a backslash in COPY text and in JSON alike. */
const sameEscapes = new Set([...'\\bfnrt'].map((letter) => letter.charCodeAt(0)));

const literals = { t: Buffer.from('true'), f: Buffer.from('false') };

/** `jsonText` for values of one type, on bytes: what is common is done here, everything else there. */
export function jsonWriter(type: TextType): JsonWriter {
  const rare: JsonWriter = (out, source, start) => {
    const end = behindField(source, start);
    out.text(jsonText(unescaped(source.toString('utf8', start, end)), type));
    return end;
  };
  const common = commonWriter(type);
  if (common === undefined) return rare;
  return (out, source, start, limit) => {
    const end = common(out, source, start, limit);
    return end === undefined ? rare(out, source, start, limit) : end;
  };
}

/** @returns undefined, and nothing is written, for a text that is not as most are. */
type CommonWriter = (out: ByteWriter, source: Buffer, start: number, limit: number) => number | undefined;

function commonWriter(type: TextType): CommonWriter | undefined {
  switch (type.type) {
    case 'number':
      return writeNumber;
    case 'datetime':
      return writeTime;
    case 'boolean':
      return writeBoolean;
    case 'array':
      return undefined;
    case 'object':
      return jsonText('{}', type) === '{}' ? writeJson : writeString;
    default:
      return writeString;
  }
}

const isEnd = (byte: number) => byte === tab || byte === newline;

/** All but control characters and other escapes than those of JSON. */
const writeString: CommonWriter = (out, source, start, limit) => {
  out.reserve(2 * (limit - start) + 2);
  const { bytes } = out;
  let { at } = out;
  bytes[at++] = quote;
  for (let from = start; ; from++) {
    const byte = source[from] ?? newline;
    if (byte < 0x20) {
      if (!isEnd(byte)) return undefined;
      bytes[at++] = quote;
      out.at = at;
      return from;
    }
    if (byte === backslash) {
      const letter = source[++from] ?? 0;
      if (!sameEscapes.has(letter)) return undefined;
      bytes[at++] = backslash;
      bytes[at++] = letter;
    } else {
      if (byte === quote) bytes[at++] = backslash;
      bytes[at++] = byte;
    }
  }
};

/** A text that is JSON: only a backslash is another one in COPY text. */
const writeJson: CommonWriter = (out, source, start, limit) => {
  out.reserve(limit - start);
  const { bytes } = out;
  let { at } = out;
  for (let from = start; ; from++) {
    const byte = source[from] ?? newline;
    if (byte < 0x20 && isEnd(byte)) {
      out.at = at;
      return from;
    }
    bytes[at++] = byte;
    if (byte === backslash && source[++from] !== backslash) return undefined;
  }
};

/** Digits, with a point among them or a minus before. */
const writeNumber: CommonWriter = (out, source, start) => {
  const first = source[start] === minus ? start + 1 : start;
  let points = 0;
  let end = first;
  for (let byte = source[end] ?? newline; !isEnd(byte); byte = source[++end] ?? newline) {
    if (byte === dot) points++;
    else if (byte < zero || byte > nine) return undefined;
  }
  const last = source[end - 1];
  if (end === first || points > 1 || source[first] === dot || last === dot) return undefined;
  if (source[first] === zero && end - first > 1 && source[first + 1] !== dot) return undefined;
  out.copy(source, start, end);
  return end;
};

const writeBoolean: CommonWriter = (out, source, start) => {
  if (!isEnd(source[start + 1] ?? newline)) return undefined;
  const letter = source[start];
  if (letter === 0x74) out.copy(literals.t);
  else if (letter === 0x66) out.copy(literals.f);
  else return undefined;
  return start + 1;
};

/** `2024-01-31 12:34:56.789+00` or without the zone. */
const writeTime: CommonWriter = (out, source, start) => {
  const end = behindField(source, start);
  const zoned = source[end - 3] === 0x2b && source[end - 2] === zero && source[end - 1] === zero;
  const length = (zoned ? end - 3 : end) - start;
  if (length < 19 || length === 20 || length > form.length) return undefined;
  out.reserve(length + 3);
  const { bytes } = out;
  let { at } = out;
  bytes[at++] = quote;
  for (let index = 0; index < length; index++) {
    const byte = source[start + index] ?? 0;
    const expected = form[index] ?? zero;
    if (expected === zero ? byte < zero || byte > nine : byte !== expected) return undefined;
    bytes[at++] = byte;
  }
  bytes[out.at + 11] = 0x54;
  if (zoned) bytes[at++] = 0x5a;
  bytes[at++] = quote;
  out.at = at;
  return end;
};

const form = Buffer.from('0000-00-00 00:00:00.000000000');
