import type { FieldWarning, RecordResult } from '../connectors/index.ts';

/** The answers to a stretch of a plan, kept as an intent. */
export interface Stretch {
  first: number;
  last: number;
  /** One per record of the stretch, in order. */
  results: RecordResult[];
}

/** Written for every batch, so it is kept small: most batches are one run of one letter. */
export interface PackedStretch {
  first: number;
  last: number;
  /** Letters and how often each comes in a row, e.g. `i2000`; see `statuses`. */
  statuses: string;
  /** Of refused records, by their place. */
  reasons: Record<number, string>;
  /** Of stored records, by their place. */
  warnings?: Record<number, FieldWarning[]>;
}

const statuses: Record<string, Exclude<RecordResult['status'], 'refused'>> = {
  i: 'inserted',
  u: 'updated',
  p: 'upserted',
  d: 'deleted',
  s: 'skipped',
};
const letters = new Map<string, string>(Object.entries(statuses).map(([letter, status]) => [status, letter]));

export function packStretch({ first, last, results }: Stretch): PackedStretch {
  const text = results.map(({ status }) => letters.get(status) ?? 'r').join('');
  return {
    first,
    last,
    statuses: text.replaceAll(/(.)\1*/g, (run, letter: string) => `${letter}${run.length}`),
    reasons: Object.fromEntries(
      results.flatMap((result, place) => (result.status === 'refused' ? [[place, result.reason]] : [])),
    ),
    warnings: Object.fromEntries(
      results.flatMap((result, place) =>
        result.status !== 'refused' && result.warnings ? [[place, result.warnings]] : [],
      ),
    ),
  };
}

export function unpackStretch({ first, last, statuses: packed, reasons, warnings }: PackedStretch): Stretch {
  const text = packed.replaceAll(/(\D)(\d+)/g, (_, letter: string, count) => letter.repeat(Number(count)));
  const results = Array.from(text, (letter, place): RecordResult => {
    const status = statuses[letter];
    if (status === undefined) return { status: 'refused', reason: reasons[place] ?? '' };
    const found = warnings?.[place];
    return found === undefined ? { status } : { status, warnings: found };
  });
  return { first, last, results };
}
