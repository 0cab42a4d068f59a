import { isUtf8 } from 'node:buffer';

/** What a document may be. Clients in other languages fail from about a thousand levels on. */
export interface Bounds {
  depth: number;
  /** Members and elements, at every depth. */
  values: number;
}

export type NotStrict =
  | { kind: 'encoding' }
  | { kind: 'depth' }
  | { kind: 'values' }
  | { kind: 'syntax'; reason: string }
  /** @see path where the text stands; it holds half a surrogate pair, or NUL. */
  | { kind: 'text'; path: string[] };

/** Why a document is not read. */
export class StrictJsonError extends Error {
  readonly problem: NotStrict;

  constructor(problem: NotStrict, options?: ErrorOptions) {
    super(problem.kind === 'syntax' ? problem.reason : problem.kind, options);
    this.problem = problem;
  }
}

/**
 * A JSON document whose every text can be stored and sent on as it came: UTF-8 that is valid, no half surrogate pairs, no
 * NUL. Depth and number of values are looked at before anything is made of them, since that is what costs time.
 *
 * @returns undefined for nothing but white space. @throws StrictJsonError
 */
export function parseStrictJson(bytes: Buffer, bounds: Bounds): unknown {
  if (!isUtf8(bytes)) throw new StrictJsonError({ kind: 'encoding' });
  measure(bytes, bounds);
  const text = bytes.toString('utf8');
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new StrictJsonError({ kind: 'syntax', reason: (cause as Error).message }, { cause });
  }
  // Bytes that are valid hold neither: only an escape can.
  if (/\\u(?:0000|d[89a-f])/i.test(text)) checkTexts(value);
  return value;
}

const [quote, backslash, comma, openList, closeList, openObject, closeObject] = Buffer.from('"\\,[]{}');

/** Of what is no JSON it may say anything: the parser refuses that. */
function measure(bytes: Buffer, bounds: Bounds): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      at++;
      while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    } else if (byte === openList || byte === openObject) {
      values++;
      depth++;
      if (depth > bounds.depth) throw new StrictJsonError({ kind: 'depth' });
    } else if (byte === closeList || byte === closeObject) depth--;
    else if (byte === comma) values++;
    if (values > bounds.values) throw new StrictJsonError({ kind: 'values' });
  }
}

function checkTexts(value: unknown, path: readonly string[] = []): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw new StrictJsonError({ kind: 'text', path: [...path] });
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (!isStorable(name)) throw new StrictJsonError({ kind: 'text', path: [...path] });
      checkTexts(inner, [...path, name]);
    }
  }
}

/** Whether a database keeps a text as it is. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
