/**
 * PostgreSQL's COPY text format: one line per row, tabs between fields, `\N` for NULL, backslash escapes for
 * the characters that would mean something else.
 */
const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const [tab, newline, backslash] = [0x09, 0x0a, 0x5c];

export type CopyRow = (string | null)[];

/** Bytes, cut anywhere → batches of rows, as many as each chunk completes, which is not needed any more then. */
export async function* decodeCopyText(chunks: AsyncIterable<Buffer>): AsyncGenerator<CopyRow[]> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      rest.push(Buffer.from(chunk));
      continue;
    }
    // A newline is never part of a longer UTF-8 sequence, so no character is cut here.
    const lines = Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8');
    rest = end + 1 < chunk.length ? [Buffer.from(chunk.subarray(end + 1))] : [];
    yield lines.split('\n').map(decodeRow);
  }
}

export function decodeRow(line: string): CopyRow {
  const fields: CopyRow = line.split('\t');
  if (!line.includes('\\')) return fields;
  return fields.map((field) => (field === '\\N' ? null : unescaped(field ?? '')));
}

export function unescaped(field: string): string {
  if (!field.includes('\\')) return field;
  if (field.length > longField) return unescapedBytes(Buffer.from(field));
  return field.replaceAll(/\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)/g, (_, code: string) => character(code));
}

/** Characters. What replaces each of millions of escapes would take a hundred times the memory of the text. */
const longField = 64 * 1024;

/** @param field is written anew: nothing gets longer. */
function unescapedBytes(field: Buffer): string {
  let to = 0;
  for (let from = 0; from < field.length; ) {
    const found = field.indexOf(backslash, from);
    const end = found < 0 ? field.length : found;
    field.copyWithin(to, from, end);
    to += end - from;
    if (found < 0) break;
    const [code = ''] =
      /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|.|)/s.exec(field.toString('latin1', end + 1, end + 4)) ?? [];
    from = end + 1;
    // The bytes of a character that is longer than one come as they are.
    if (code > '\x7f') continue;
    to += field.write(character(code), to);
    from += code.length;
  }
  return field.toString('utf8', 0, to);
}

/** @param code behind a backslash. */
function character(code: string): string {
  if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
  if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  return escapes[code] ?? code;
}

/** Rows → text that COPY … FROM STDIN reads. */
export function encodeCopyText(rows: Iterable<CopyRow>): string {
  let text = '';
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) {
      const field = row[index];
      if (index > 0) text += '\t';
      text += field === null || field === undefined ? '\\N' : escaped(field);
    }
    text += '\n';
  }
  return text;
}

export function escaped(field: string): string {
  if (!/[\\\n\r\t]/.test(field)) return field;
  return field
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}

/** Where the field after this one begins, of short fields: `indexOf` would take longer. */
export function behindTab(lines: Buffer, start: number): number {
  let at = start;
  while (lines[at] !== tab) at++;
  return at + 1;
}

/** Where a field ends, which may be the last of its line. */
export function behindField(lines: Buffer, start: number): number {
  let at = start;
  while (lines[at] !== tab && lines[at] !== newline) at++;
  return at;
}
