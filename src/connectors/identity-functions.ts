import type { IdentityFunction, RecordResult } from './contract.ts';

/** What a destination found for one record of a batch. */
export interface Found {
  /** Place in the batch. */
  n: number;
  /** What the record is looked for by; null where there is nothing to look for. */
  sought: string | null;
  /** How many rows of the target fit, and one of them. */
  rows: number;
  row: string | null;
}

export interface Resolved {
  /** Of the records that have one. */
  rows: Map<number, string>;
  /** Reasons, by place. */
  refused: Map<number, string>;
}

const nothing: Record<Exclude<IdentityFunction, 'Equality'>, string> = {
  ISubstring: 'an empty identity is part of everything',
  OneOf: 'the identity is empty, or has a comma or semicolon as between the members of a list',
  DomainMatch: 'the identity has no domain',
  HostnameMatch: 'the identity has no host name',
};

/** One record, one row: where it is more, nobody could say which was meant. */
export function resolve(name: Exclude<IdentityFunction, 'Equality'>, found: readonly Found[]): Resolved {
  const byRow = Map.groupBy(
    found.filter(({ rows }) => rows === 1),
    ({ row }) => row,
  );
  const bySought = Map.groupBy(found, ({ sought }) => sought);
  const resolved: Resolved = { rows: new Map(), refused: new Map() };
  for (const { n, sought, rows, row } of found) {
    const others = (row === null ? bySought.get(sought) : byRow.get(row))?.length ?? 1;
    if (sought === null) resolved.refused.set(n, nothing[name]);
    else if (rows > 1)
      resolved.refused.set(n, `${rows} rows of the target match the identity; it must be one`);
    else if (others > 1) {
      resolved.refused.set(n, `${others} records of the model match one row of the target; it must be one`);
    } else if (row !== null) resolved.rows.set(n, row);
  }
  return resolved;
}

/** The results of a batch from those of the records that were not refused. */
export function withRefused(
  count: number,
  { refused }: Resolved,
  resultOf: (n: number) => RecordResult,
): RecordResult[] {
  return Array.from({ length: count }, (_, n) => {
    const reason = refused.get(n);
    return reason === undefined ? resultOf(n) : { status: 'refused', reason };
  });
}

/**
 * The host of a URL, of an e-mail address, or a host name by itself, as the first group; of texts in lower case. A
 * domain is the same without `www.`.
 */
const before = String.raw`^\s*(?:[a-z][a-z0-9+.-]*://|//|mailto:)?(?:[^/?#]*@)?`;
const host = String.raw`([^/?#:@\s]+)`;
export const hostPatterns = {
  DomainMatch: `${before}(?:www[.])?${host}`,
  HostnameMatch: `${before}${host}`,
};
/** Between the members of a list in a text. */
export const separators = String.raw`\s*[,;]\s*`;
