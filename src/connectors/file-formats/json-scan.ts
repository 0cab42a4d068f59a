import { TidemarkError } from '../../errors.ts';

/** What a member's value is. */
export type JsonKind = 'null' | 'boolean' | 'number' | 'string' | 'nested';

/** One member of an object, with the value as it is written. */
export interface JsonMember {
  name: string;
  kind: JsonKind;
  raw: string;
}

/** Characters one object may have. */
const longest = 64 * 1024 * 1024;

const scalar = /[-+.\w]*/y;
const valid = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
const space = /[\s,]*/y;

/** Thrown inside the scan when the text ends within an object: the rest may still come. */
const more = Symbol('more');

/**
 * Objects one after another: JSON lines, or the elements of an array. Values are not parsed but cut out, because
 * JavaScript's numbers, and those of every JSON library at hand, lose digits.
 */
export class JsonScan {
  readonly #name: string;
  #text = '';
  #started = false;
  #objects = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** @param last nothing comes after this. */
  *push(text: string, last: boolean): Generator<JsonMember[]> {
    this.#text += text;
    let at = 0;
    for (;;) {
      at = this.#toObject(at);
      if (at === this.#text.length) break;
      const members: JsonMember[] = [];
      try {
        at = this.#object(at, members);
      } catch (error) {
        if (error !== more) throw error;
        if (last) throw this.#broken('ends in its middle');
        if (this.#text.length - at > longest) throw this.#broken(`is longer than ${longest} characters`);
        break;
      }
      this.#objects++;
      yield members;
    }
    this.#text = this.#text.slice(at);
  }

  #toObject(from: number): number {
    let at = skip(space, this.#text, from);
    if (!this.#started && this.#text[at] === '[') at = skip(space, this.#text, at + 1);
    if (at < this.#text.length) this.#started = true;
    return this.#text[at] === ']' ? skip(space, this.#text, at + 1) : at;
  }

  #object(from: number, members: JsonMember[]): number {
    const text = this.#text;
    if (text[from] !== '{') throw this.#broken('is no object');
    let at = this.#blank(from + 1);
    if (text[at] === '}') return at + 1;
    for (;;) {
      if (text[at] !== '"') throw this.#broken('has a name that is not in quotes');
      const named = this.#string(at);
      const name = this.decoded(text.slice(at, named));
      at = this.#blank(named);
      if (text[at] !== ':') throw this.#broken(`has no colon behind ${name}`);
      at = this.#blank(at + 1);
      const start = at;
      const kind = kindAt(text[at]);
      at = this.#value(at, kind);
      const raw = text.slice(start, at);
      members.push({ name, kind: raw === 'null' ? 'null' : kind, raw });
      at = this.#blank(at);
      if (text[at] === '}') return at + 1;
      if (text[at] !== ',') throw this.#broken(`goes on wrongly behind ${name}`);
      at = this.#blank(at + 1);
    }
  }

  #value(at: number, kind: JsonKind): number {
    const text = this.#text;
    if (kind === 'string') return this.#string(at);
    if (kind === 'nested') return this.#nested(at);
    scalar.lastIndex = at;
    scalar.exec(text);
    const end = scalar.lastIndex;
    // More of it may come.
    if (end === text.length) throw more;
    if (!valid.test(text.slice(at, end))) {
      throw this.#broken(`has a value that is no JSON: ${text.slice(at, at + 20)}`);
    }
    return end;
  }

  /** @returns the place behind the closing quote. */
  #string(from: number): number {
    const text = this.#text;
    for (let at = text.indexOf('"', from + 1); ; at = text.indexOf('"', at + 1)) {
      if (at < 0) throw more;
      let backslashes = 0;
      while (text[at - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) return at + 1;
    }
  }

  #nested(from: number): number {
    const text = this.#text;
    const token = /["[\]{}]/g;
    token.lastIndex = from;
    for (let depth = 0; ; ) {
      const at = token.exec(text)?.index;
      if (at === undefined) throw more;
      if (text[at] === '"') token.lastIndex = this.#string(at);
      else depth += text[at] === '{' || text[at] === '[' ? 1 : -1;
      if (depth > 0) continue;
      this.#checked(text.slice(from, at + 1));
      return at + 1;
    }
  }

  #blank(from: number): number {
    const at = skip(/\s*/y, this.#text, from);
    if (at >= this.#text.length) throw more;
    return at;
  }

  /** The text of a value in quotes. */
  decoded(raw: string): string {
    return raw.includes('\\') ? (this.#checked(raw) as string) : raw.slice(1, -1);
  }

  #checked(raw: string): unknown {
    try {
      return JSON.parse(raw);
    } catch {
      throw this.#broken(`has a value that is no JSON: ${raw.slice(0, 40)}`);
    }
  }

  #broken(what: string): TidemarkError {
    return new TidemarkError('unprocessable', {
      reason: `${this.#name}: object ${this.#objects + 1} ${what}`,
    });
  }
}

function kindAt(character: string | undefined): JsonKind {
  if (character === '"') return 'string';
  if (character === '{' || character === '[') return 'nested';
  return character === 't' || character === 'f' || character === 'n' ? 'boolean' : 'number';
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.exec(text);
  return pattern.lastIndex;
}
