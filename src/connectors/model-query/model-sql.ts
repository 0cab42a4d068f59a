import { TidemarkError } from '../../errors.ts';
import { type Dialect, type Token, tokens } from './sql-tokens.ts';

/** What stands before and behind the user's text: its line breaks end a comment, and tell where lines are. */
const before = '(\n';
const behind = '\n)';

/**
 * Functions of PostgreSQL that a read-only transaction lets do something that stays, or that changes how the session
 * reads: settings, locks beyond the transaction, other servers, other sessions, messages.
 */
const effects =
  /^(set_config|pg_(try_)?advisory_(?!unlock|xact).*|dblink.*|lo_(import|export|create|creat|unlink|put|from_bytea|truncate.*)|pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_notify|pg_logical_emit_message|pg_switch_wal|pg_promote)$/;

/**
 * A query of a user as a subquery. It is one statement: comments and semicolons around it are its own, and every
 * character stays on the line it is on.
 *
 * @throws invalid_query
 */
export function subquery(sql: string, dialect: Dialect): string {
  const at = (token: Token | number) => where(sql, typeof token === 'number' ? token : token.start);
  const nul = sql.indexOf('\0');
  if (nul >= 0) throw wrong(`${at(nul)}: a query cannot hold a NUL character`);
  let text = '';
  let depth = 0;
  let ended = false;
  let last: Token | undefined;
  for (const token of tokens(sql, dialect)) {
    if (token.open) throw wrong(`${at(token)}: what begins with ${token.text.slice(0, 2)} is not closed`);
    if (token.kind === 'space' || token.kind === 'comment') {
      if (!ended) text += token.text;
      continue;
    }
    if (token.text === ';') {
      if (last !== undefined) ended = true;
      else text += ' ';
      continue;
    }
    if (ended) throw wrong(`${at(token)}: a second statement begins; a model reads with one`);
    if (token.text === '(') depth++;
    if (token.text === ')' && --depth < 0) throw wrong(`${at(token)}: ) closes nothing`);
    if (token.text === '(' && last !== undefined) refuseEffects(last, dialect, at);
    const isParameter = token.kind === 'parameter' || (token.text === '?' && dialect.marks);
    if (isParameter)
      throw wrong(
        `${at(token)}: ${token.text} is a parameter, and a model’s query has none: write the value`,
      );
    text += token.text;
    last = token;
  }
  if (last === undefined) throw wrong('the query is empty');
  if (depth > 0) throw wrong('a ( is not closed');
  return `${before}${text}${behind}`;
}

function refuseEffects(called: Token, { isMysql }: Dialect, at: (token: Token) => string): void {
  if (isMysql || (called.kind !== 'word' && called.kind !== 'name')) return;
  const name = called.kind === 'name' ? called.text.slice(1, -1) : called.text.toLowerCase();
  if (effects.test(name)) throw wrong(`${at(called)}: ${name} does more than read`);
}

/** @param place of a character, from 0. */
export function where(sql: string, place: number): string {
  const lines = sql.slice(0, place).split('\n');
  return `line ${lines.length}, column ${[...(lines.at(-1) ?? '')].length + 1}`;
}

/** Where a database found fault, in the user's own text. @param place in `subquery`, from 0, in characters. */
export function whereInQuery(sql: string, place: number): string | undefined {
  const characters = [...sql];
  const own = place - before.length;
  if (own < 0) return undefined;
  if (own >= characters.length) return 'at its end';
  return where(sql, characters.slice(0, own).join('').length);
}

/** A name that looks like a parameter, which no database says in plain words. */
export function hintAt(sql: string, dialect: Dialect): string {
  let last: Token | undefined;
  for (const token of tokens(sql, dialect)) {
    if (last?.text === ':' && token.kind === 'word' && !/[:\w\])]/.test(sql[last.start - 1] ?? ''))
      return `; :${token.text} looks like a parameter, and a model’s query has none: write the value`;
    last = token;
  }
  return '';
}

function wrong(reason: string): TidemarkError {
  return new TidemarkError('invalid_query', { reason });
}
