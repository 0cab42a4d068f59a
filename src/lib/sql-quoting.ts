import pg from 'pg';

/**
 * How foreign text becomes a part of a statement: here, and nowhere else (`test/sql-sources.test.ts` reads the sources).
 * A name becomes an identifier, a value a literal, a type one of those that are known. What a server says is foreign text,
 * too: that server may be anybody's, and the statement may go to another.
 */
export interface Quoting {
  /** A name, whatever is in it. */
  identifier(name: string): string;
  /** A value as a string literal. */
  literal(text: string): string;
}

/** What begins with E is read the same whatever `standard_conforming_strings` says. */
export const postgresql: Quoting = { identifier: pg.escapeIdentifier, literal: pg.escapeLiteral };

/** Every session reads backslashes as escapes: its sql_mode is ours. */
export const mysql = {
  identifier: (name) => `\`${name.replaceAll('`', '``')}\``,
  literal: (text) => `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`,
  /** A text that no sql_mode and no character set of a session can make anything else of. */
  utf8: (text: string) => `_utf8mb4 ${hexadecimal(text)}`,
  hexadecimal,
  /** @param text of zeros and ones. */
  bits(text: string): string {
    if (!/^[01]+$/.test(text)) throw new TypeError('bits are zeros and ones');
    return `b'${text}'`;
  },
  /** The name of a character set or collation, which stands in statements as it is. */
  charset(name: string): string {
    if (!/^[A-Za-z0-9_]+$/.test(name)) throw new TypeError(`${name} is no character set`);
    return name;
  },
} satisfies Quoting & Record<string, (text: string) => string>;

/** No backslash means anything in a literal. */
export const duckdb: Quoting = {
  identifier: (name) => `"${name.replaceAll('"', '""')}"`,
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
};

function hexadecimal(text: string): string {
  return `x'${Buffer.from(text).toString('hex')}'`;
}

/** PostgreSQL's own types as `format_type` writes them: every server has them, or says itself that it does not. */
const plain = [
  'smallint|integer|bigint|oid|xid|xid8|cid|tid|numeric|real|double precision|money|boolean',
  'text|character varying|character|bpchar|name|"char"|bytea|bit|"bit"|bit varying|date|uuid',
  'json|jsonb|jsonpath|xml|inet|cidr|macaddr|macaddr8|point|line|lseg|box|path|polygon|circle',
  'tsvector|tsquery|pg_lsn|pg_snapshot|txid_snapshot|refcursor|int2vector|oidvector',
  '(?:int4|int8|num|ts|tstz|date)(?:multi)?range',
].join('|');
const precise = '(?:time|timestamp)(?:\\(\\d\\))? with(?:out)? time zone';
const interval = 'interval(?: (?:year|month|day|hour|minute|second)(?: to (?:month|hour|minute|second))?)?';
const known = new RegExp(
  `^(?:(?:${plain}|${interval})(?:\\(\\d{1,10}(?:,-?\\d{1,10})?\\))?|${precise})(?:\\[\\])*$`,
);

/** Whether a type's name is one of PostgreSQL's own, so that it may stand in a statement for any server. */
export function isKnownType(type: string): boolean {
  return known.test(type);
}
