/** Names longer than this are no misspellings of ours. */
const longest = 64;

/**
 * The known name that another one is a misspelling of: written in another case or with other separators, or one slip
 * away (two in a long name). A slip is a letter too many, too few, another one, or two that changed places.
 */
export function nearName(name: string, known: readonly string[]): string | undefined {
  if (name.length > longest) return undefined;
  const plain = plainOf(name);
  let best: { name: string; slips: number } | undefined;
  for (const one of known) {
    const other = plainOf(one);
    const most = slipsAllowed(Math.min(plain.length, other.length));
    if (Math.abs(plain.length - other.length) > most) continue;
    const slips = slipsBetween(plain, other);
    if (slips <= most && (best === undefined || slips < best.slips)) best = { name: one, slips };
  }
  return best?.name;
}

const plainOf = (name: string) => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

function slipsAllowed(length: number): number {
  if (length < 3) return 0;
  return length < 6 ? 1 : 2;
}

/** Distance of optimal string alignment. */
function slipsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      let slips = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      const swapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (i > 1 && j > 1 && swapped) slips = Math.min(slips, (beforeLast[j - 2] ?? 0) + 1);
      row.push(slips);
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length] ?? 0;
}

/** Ready to follow a sentence: ` Did you mean --since?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearName(name, known);
  return near === undefined ? '' : ` Did you mean ${near}?`;
}

/**
 * The known id that another one means: a name of several parts with a dot between them, of which the first may be missing
 * or be another one's, like `users` for `public.users`.
 */
export function nearId(id: string, known: readonly string[]): string | undefined {
  const whole = nearName(id, known);
  if (whole !== undefined) return whole;
  const names = known.map(lastPart);
  const name = nearName(lastPart(id), names);
  return name === undefined ? undefined : known[names.indexOf(name)];
}

const lastPart = (id: string) => id.slice(id.lastIndexOf('.') + 1);

/** Ready to follow what is unknown, in a reason: ` (did you mean public.users?)`, or nothing. */
export function orMeant(id: string, known: readonly string[]): string {
  const near = nearId(id, known);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}
