/** Which of DuckDB's types hold every value of which others. */

const integers: Record<string, { bits: number; signed: boolean; digits: number }> = {
  TINYINT: { bits: 7, signed: true, digits: 3 },
  UTINYINT: { bits: 8, signed: false, digits: 3 },
  SMALLINT: { bits: 15, signed: true, digits: 5 },
  USMALLINT: { bits: 16, signed: false, digits: 5 },
  INTEGER: { bits: 31, signed: true, digits: 10 },
  UINTEGER: { bits: 32, signed: false, digits: 10 },
  BIGINT: { bits: 63, signed: true, digits: 19 },
  UBIGINT: { bits: 64, signed: false, digits: 20 },
  HUGEINT: { bits: 127, signed: true, digits: 39 },
  UHUGEINT: { bits: 128, signed: false, digits: 39 },
};
const significantBits: Record<string, number> = { FLOAT: 24, DOUBLE: 53 };
const others: Record<string, readonly string[]> = {
  FLOAT: ['DOUBLE'],
  DATE: ['TIMESTAMP'],
  BOOLEAN: ['VARCHAR'],
  UUID: ['VARCHAR'],
  JSON: ['VARCHAR'],
};

/** Whether every value of `from` is the same value in `to`. */
export function holds(to: string, from: string): boolean {
  if (to === from) return true;
  if (others[from]?.includes(to)) return true;
  const [large, small] = [decimalOf(to), decimalOf(from)];
  const whole = integers[from];
  if (small !== undefined) {
    if (large !== undefined) return large.scale >= small.scale && large.whole >= small.whole;
    return to === 'VARCHAR';
  }
  if (whole === undefined) return false;
  const wider = integers[to];
  if (wider !== undefined) return wider.bits >= whole.bits && (wider.signed || !whole.signed);
  if (large !== undefined) return large.whole >= whole.digits;
  return to === 'VARCHAR' || (significantBits[to] ?? 0) >= whole.bits;
}

/** Digits before the point, and behind it. */
function decimalOf(type: string): { whole: number; scale: number } | undefined {
  const [, width, scale] = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type) ?? [];
  return width === undefined ? undefined : { whole: Number(width) - Number(scale), scale: Number(scale) };
}
