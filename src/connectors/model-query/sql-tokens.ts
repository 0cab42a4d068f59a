/** What ends a token of SQL, as far as one has to know to find statements, comments and calls. */
export interface Dialect {
  /** Backslashes escape in every string; otherwise only in E'…' of PostgreSQL's kind. */
  backslashes: boolean;
  /** "…" is a text, `…` a name, # begins a comment, and -- does only before white space. */
  isMysql: boolean;
  /** ? is a parameter, and nothing else. */
  marks: boolean;
}

export const dialects = {
  postgresql: { backslashes: false, isMysql: false, marks: false },
  duckdb: { backslashes: false, isMysql: false, marks: true },
  mysql: { backslashes: true, isMysql: true, marks: true },
} as const satisfies Record<string, Dialect>;

export type Kind = 'space' | 'comment' | 'text' | 'name' | 'word' | 'parameter' | 'sign';

export interface Token {
  kind: Kind;
  /** Of its first character, and behind its last. */
  start: number;
  end: number;
  text: string;
  /** What begins it has no end. */
  open?: true;
}

const space = /[\s\0]+/y;
const word = /[\p{L}_\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*/uy;
const number = /\d[\w.]*/y;
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const parameter = /\$(?:\d+|[A-Za-z_]\w*)/y;

/** Every character of it is in one token. */
export function* tokens(sql: string, dialect: Dialect): Generator<Token> {
  for (let start = 0; start < sql.length; ) {
    const { kind, end, open } = tokenAt(sql, start, dialect);
    yield { kind, start, end, text: sql.slice(start, end), ...(open ? { open: true } : {}) };
    start = end;
  }
}

interface Found {
  kind: Kind;
  end: number;
  open?: boolean;
}

function tokenAt(sql: string, start: number, { backslashes, isMysql }: Dialect): Found {
  const matched = (pattern: RegExp) => {
    pattern.lastIndex = start;
    return pattern.exec(sql)?.[0];
  };
  const here = (text: string) => sql.startsWith(text, start);
  const blank = matched(space);
  if (blank !== undefined) return { kind: 'space', end: start + blank.length };
  // A server that is meant carries out what is in it, and a hint is no remark.
  if (here('/*'))
    return blockComment(sql, start, !isMysql, isMysql && /^\/\*(?:M?!|\+)/.test(sql.slice(start, start + 4)));
  const isLine = here('--') && (!isMysql || /^--(?:[\s\0]|$)/.test(sql.slice(start, start + 3)));
  if (isLine || (isMysql && here('#'))) {
    const end = sql.indexOf('\n', start);
    return { kind: 'comment', end: end < 0 ? sql.length : end };
  }
  if (here("'") || (isMysql && here('"'))) return quoted(sql, start, start, 'text', backslashes);
  if (here('"') || (isMysql && here('`'))) return quoted(sql, start, start, 'name', false);
  if (!isMysql && /^[eE]'/.test(sql.slice(start, start + 2)))
    return quoted(sql, start, start + 1, 'text', true);
  const tag = isMysql ? undefined : matched(dollarTag);
  if (tag !== undefined) {
    const end = sql.indexOf(tag, start + tag.length);
    return end < 0 ? { kind: 'text', end: sql.length, open: true } : { kind: 'text', end: end + tag.length };
  }
  const given = isMysql ? undefined : matched(parameter);
  if (given !== undefined) return { kind: 'parameter', end: start + given.length };
  const name = matched(word) ?? matched(number);
  if (name !== undefined) return { kind: 'word', end: start + name.length };
  return { kind: 'sign', end: start + 1 };
}

function blockComment(sql: string, start: number, nests: boolean, isCode: boolean): Found {
  const kind = isCode ? 'sign' : 'comment';
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start + 2;
  for (let depth = 1, mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    if (mark[0] === '*/') depth--;
    else if (nests) depth++;
    if (depth === 0) return { kind, end: marks.lastIndex };
  }
  return { kind, end: sql.length, open: true };
}

/** @param at where the opening quote is. */
function quoted(sql: string, start: number, at: number, kind: 'text' | 'name', backslashes: boolean): Found {
  const quote = sql[at];
  for (let end = Math.max(start, at) + 1; end < sql.length; end++) {
    if (backslashes && sql[end] === '\\') end++;
    else if (sql[end] === quote) {
      if (sql[end + 1] !== quote) return { kind, end: end + 1 };
      end++;
    }
  }
  return { kind, end: sql.length, open: true };
}
