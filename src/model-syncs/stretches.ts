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
  let statuses = '';
  let letter = '';
  let from = 0;
  const reasons: Record<number, string> = {};
  const warnings: Record<number, FieldWarning[]> = {};
  for (let place = 0; place <= results.length; place++) {
    const result = results[place];
    const next = result && (letters.get(result.status) ?? 'r');
    if (next !== letter) {
      if (place > from) statuses += `${letter}${place - from}`;
      [letter, from] = [next ?? '', place];
    }
    if (result?.status === 'refused') reasons[place] = result.reason;
    else if (result?.warnings) warnings[place] = result.warnings;
  }
  return { first, last, statuses, reasons, warnings };
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
