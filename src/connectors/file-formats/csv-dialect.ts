import { Readable } from 'node:stream';
import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { type CsvLayout, CsvToCopyText } from './csv-to-copy-text.ts';
import { KindGuess } from './guess-kinds.ts';
import { anyKind, kindsOf } from './text-kinds.ts';

export interface CsvDialect {
  /** How its rows are read. */
  layout: CsvLayout;
  /** Whether the first row has the columns' names. */
  header: boolean;
  /** Of the columns, made up where there is no header. */
  names: string[];
}

/** What is known of a file, or said by who configured it. */
export interface KnownDialect {
  name: string;
  header?: boolean;
  delimiter?: string | undefined;
  quote?: string | undefined;
  escape?: string | undefined;
}

const delimiters = [',', '\t', ';', '|'];
/** Rows that are looked at. */
const sample = 100;

/**
 * Looks at the beginning of a file: the delimiter that cuts most rows into the same number of fields, the most fields
 * winning; and whether the first row is a header, where that is not known.
 *
 * A row that cannot be read counts against no delimiter. The rows before it do count, and where the one that wins cannot
 * read it, the file is broken: to go on with another delimiter would make one column of what has many.
 *
 * @param head its first bytes, cut anywhere. @param isWhole it is all of the file.
 * @throws unprocessable with the line that is broken.
 */
export async function detectDialect(
  head: Uint8Array,
  isWhole: boolean,
  known: KnownDialect,
): Promise<CsvDialect> {
  const attempts: Attempt[] = [];
  for (const delimiter of known.delimiter === undefined ? delimiters : [known.delimiter]) {
    attempts.push(await attempt(head, isWhole, layoutOf(known, delimiter)));
  }
  const [usual = await attempt(head, isWhole, layoutOf(known, ',')), ...others] = attempts;
  const best = others.reduce((one, other) => (other.score > one.score ? other : one), usual);
  if (best.broken !== undefined) throw best.broken;
  const { layout, lines, rows } = best;
  const [first = []] = rows;
  const named = known.header ?? isHeader(first, lines);
  const names = first.map((text, index) => (named && text ? text : `column_${index + 1}`));
  return { layout, header: named, names: distinct(names) };
}

function layoutOf(known: KnownDialect, delimiter: string): CsvLayout {
  const { name, quote } = known;
  return {
    name,
    delimiter: delimiter.charCodeAt(0),
    ...(quote === undefined ? {} : { quote: quote === '' ? null : quote.charCodeAt(0) }),
    ...(known.escape ? { escape: known.escape.charCodeAt(0) } : {}),
  };
}

interface Attempt {
  layout: CsvLayout;
  /** COPY text of the first rows. */
  lines: Buffer;
  rows: CopyRow[];
  score: number;
  /** Why the rows end. */
  broken: unknown;
}

/** The beginning of a file as one delimiter cuts it. */
async function attempt(head: Uint8Array, isWhole: boolean, layout: CsvLayout): Promise<Attempt> {
  const scan = new CsvToCopyText(layout);
  const pieces: Buffer[] = [];
  let broken: unknown;
  try {
    // Line by line: the rows before a broken one are known.
    for (let at = 0, end = 0; at < head.length && scan.rows < sample; at = end) {
      end = lineEnd(head, at);
      pieces.push(scan.push(head.subarray(at, end)));
    }
    if (isWhole && scan.rows < sample) pieces.push(scan.end());
  } catch (error) {
    broken = error;
  }
  const all = Buffer.concat(pieces);
  let end = 0;
  for (let row = 0; row < sample; row++) end = all.indexOf(0x0a, end) + 1 || end;
  const lines = all.subarray(0, end);
  const rows = (await Array.fromAsync(decodeCopyText(Readable.from([lines])))).flat();
  const first = rows[0]?.length ?? scan.fields;
  const alike = rows.length === 0 ? 1 : rows.filter(({ length }) => length === first).length / rows.length;
  // One column is what a delimiter finds that is not the file's.
  return { layout, lines, rows, broken, score: first < 2 ? alike : alike * 1000 + first };
}

function lineEnd(head: Uint8Array, from: number): number {
  for (let at = from; at < head.length; at++) if (head[at] === 0x0a || head[at] === 0x0d) return at + 1;
  return head.length;
}

/**
 * The first row is a header when it does not fit the columns below it, or when everything is text. A header of
 * numbers above numbers is taken for a row.
 */
function isHeader(first: CopyRow, lines: Buffer): boolean {
  const guess = new KindGuess(first.length);
  const below = lines.subarray(lines.indexOf(0x0a) + 1);
  if (below.length === 0 || !sameWidth(below, first.length)) return true;
  guess.push(below);
  const typed = guess.possible.map((kinds) => kinds !== 0 && kinds !== anyKind);
  if (!typed.includes(true)) return true;
  return first.some((text, index) => {
    const bytes = Buffer.from(text ?? '');
    return typed[index] && kindsOf(bytes, 0, bytes.length, guess.possible[index] ?? 0) === 0;
  });
}

function sameWidth(lines: Buffer, fields: number): boolean {
  const rows = lines.toString('latin1').trimEnd().split('\n');
  return rows.every((row) => row.split('\t').length === fields);
}

/** A name that is there already gets a number behind. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
    taken.add(free);
    return free;
  });
}
