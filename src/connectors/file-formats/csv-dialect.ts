import { type CopyRow, decodeCopyText } from '../../lib/copy-text.ts';
import { CsvToCopyText } from './csv-to-copy-text.ts';
import { KindGuess } from './guess-kinds.ts';
import { anyKind, kindsOf } from './text-kinds.ts';

export interface CsvDialect {
  /** The byte between two fields. */
  delimiter: number;
  /** Whether the first row has the columns' names. */
  header: boolean;
  /** Of the columns, made up where there is no header. */
  names: string[];
}

const delimiters = [',', '\t', ';', '|'];
/** Rows that are looked at. */
const sample = 100;

/**
 * Looks at the beginning of a file: the delimiter that cuts most rows into the same number of fields, the most fields
 * winning; and whether the first row is a header, where that is not known.
 *
 * @param head its first bytes, cut anywhere. @param name what the file is called in a message. @param known what need
 *   not be found out.
 */
export async function detectDialect(
  head: Uint8Array,
  name: string,
  known: { header?: boolean; delimiter?: string },
): Promise<CsvDialect> {
  const found: { delimiter: number; lines: Buffer; rows: CopyRow[]; score: number }[] = [];
  for (const text of known.delimiter === undefined ? delimiters : [known.delimiter]) {
    const delimiter = text.charCodeAt(0);
    const lines = linesOf(head, name, delimiter);
    if (lines === undefined) continue;
    const rows = (
      await Array.fromAsync(
        decodeCopyText(
          (async function* () {
            yield lines;
          })(),
        ),
      )
    ).flat();
    const first = rows[0]?.length ?? 0;
    const alike = rows.filter(({ length }) => length === first).length / rows.length;
    found.push({ delimiter, lines, rows, score: first < 2 ? 0 : alike * 1000 + first });
  }
  // Broken whatever cuts it: the most usual delimiter says where.
  if (found.length === 0) new CsvToCopyText({ name, delimiter: 0x2c }).push(head);
  const best = found.reduce((one, other) => (other.score > one.score ? other : one), found[0] ?? empty);
  const { delimiter, lines, rows } = best;
  const [first = []] = rows;
  const named = known.header ?? isHeader(first, lines);
  const names = first.map((text, index) => (named && text ? text : `column_${index + 1}`));
  return { delimiter, header: named, names: distinct(names) };
}

const empty = { delimiter: 0x2c, lines: Buffer.alloc(0), rows: [] as CopyRow[], score: 0 };

/** COPY text of the first rows; undefined when the file cannot be read in this way. */
function linesOf(head: Uint8Array, name: string, delimiter: number): Buffer | undefined {
  const scan = new CsvToCopyText({ name, delimiter });
  try {
    let lines = scan.push(head);
    // Cut within a row, or a file without a line break at its end.
    if (!lines.includes(0x0a)) lines = Buffer.concat([lines, scan.end()]);
    let end = 0;
    for (let row = 0; row < sample; row++) end = lines.indexOf(0x0a, end) + 1 || end;
    return lines.subarray(0, end);
  } catch {
    return undefined;
  }
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
