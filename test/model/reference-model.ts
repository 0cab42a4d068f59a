import type { ModelSyncMode } from '../../src/connectors/index.ts';

export type Row = Record<string, string | null>;

/** What a sync does, said without a database: ARCHITECTURE.md, "What the baseline means", in maps and lists. */
export interface Rules {
  mode: ModelSyncMode;
  /** By `id`; without it a record is its content. */
  keyed: boolean;
  fields: string[];
  syncsAll: boolean;
  skipsBackfill: boolean;
  /** What is written is the whole record; else fields that are not mapped keep what they have. */
  whole: boolean;
  /** What the target takes an identity for. */
  canonical(id: string): string;
  /** Content that the target does not take. */
  refuses(row: Row): boolean;
}

export interface Asked {
  resync?: boolean;
  /** Identities. */
  only?: readonly string[];
}

/** What the target has, and of each record what it acknowledged; undefined as long as no execution has been about it. */
export interface State {
  target: Row[];
  known: Map<string, string> | undefined;
}

export interface Outcome {
  insert: number;
  update: number;
  delete: number;
  error: number;
  total: number;
}

interface Keyed {
  key: string | null;
  row: Row;
}

/** Plays an execution that runs to its end, and brings the state up to date. */
export function execute(rules: Rules, model: readonly Row[], state: State, asked: Asked = {}): Outcome {
  const { mode, fields } = rules;
  const content = (row: Row) => JSON.stringify(fields.map((name) => [name, row[name] ?? null]));
  const all = keyedRecords(rules, model, content);
  const records = all.filter(({ key }) => asked.only === undefined || (key && asked.only.includes(key)));
  const alike = (one: Keyed) => (other: Keyed) =>
    other.key !== null && sameFor(rules, other.key) === sameFor(rules, one.key ?? '');
  // Of a few records it is not known which others the model has: those that it had.
  const before = asked.only === undefined ? [] : [...(state.known?.keys() ?? [])];
  const others = before
    .filter((key) => !records.some((one) => one.key === key))
    .map((key) => ({ key, row: {} }));
  const valid = records.filter(
    (one) => one.key !== null && [...records, ...others].filter(alike(one)).length === 1,
  );
  const invalid = records.length - valid.length;
  const outcome = { insert: 0, update: 0, delete: 0, error: invalid, total: invalid };
  if (mode === 'replace') return replaced(rules, records, valid, content, state, outcome);
  const skips = rules.skipsBackfill && state.known === undefined;
  if (skips && !asked.resync && asked.only === undefined) {
    state.known = new Map(valid.map(({ key, row }) => [key ?? '', content(row)]));
    return outcome;
  }
  const known = state.known ?? new Map<string, string>();
  if (!skips || asked.only === undefined) state.known = known;
  // What left is forgotten, and so is whatever is sent in any case.
  const sendsAll = asked.resync || (rules.syncsAll && mode !== 'create');
  for (const key of known.keys()) {
    const concerned = asked.only === undefined || asked.only.includes(key);
    const gone = asked.only === undefined && !all.some((one) => one.key === key);
    if (gone || (sendsAll && concerned)) known.delete(key);
  }
  for (const { key, row } of valid) {
    if (key === null) continue;
    const once = mode === 'create' || mode === 'remove';
    if (once ? known.has(key) : known.get(key) === content(row)) {
      if (!(rules.syncsAll && mode !== 'create')) continue;
    }
    // From here on only an answer of the target makes it known.
    known.delete(key);
    outcome.total++;
    const there = rules.keyed ? state.target.findIndex((one) => sameRow(rules, one, row)) : -1;
    const effect = effectOf(mode, there >= 0);
    if (effect === 'none') {
      // It is there, with a content that is not the model's.
      if (mode === 'create') known.set(key, '?');
    } else if (effect !== 'delete' && rules.refuses(row)) {
      outcome.error++;
    } else {
      outcome[effect]++;
      known.set(key, content(row));
      if (effect === 'delete') state.target.splice(there, 1);
      else if (effect === 'insert') state.target.push(written(rules, row, {}));
      else state.target[there] = written(rules, row, state.target[there] ?? {});
    }
  }
  return outcome;
}

function keyedRecords({ keyed }: Rules, model: readonly Row[], content: (row: Row) => string): Keyed[] {
  const seen = new Map<string, number>();
  return model.map((row) => {
    if (keyed) return { key: row.id ?? null, row };
    const occurrence = (seen.get(content(row)) ?? 0) + 1;
    seen.set(content(row), occurrence);
    return { key: `${content(row)}#${occurrence}`, row };
  });
}

/** Mode append looks for no row, so that only equal texts are one identity. */
const sameFor = ({ keyed, mode, canonical }: Rules, key: string) =>
  keyed && mode !== 'append' ? canonical(key) : key;

const sameRow = ({ canonical }: Rules, one: Row, other: Row) =>
  one.id != null && other.id != null && canonical(one.id) === canonical(other.id);

function effectOf(mode: ModelSyncMode, there: boolean): 'insert' | 'update' | 'delete' | 'none' {
  if (mode === 'append') return 'insert';
  if (mode === 'remove') return there ? 'delete' : 'none';
  if (there) return mode === 'create' ? 'none' : 'update';
  return mode === 'update' ? 'none' : 'insert';
}

function written({ fields, keyed, whole }: Rules, row: Row, before: Row): Row {
  const id: Row = keyed ? { id: before.id ?? row.id ?? null } : {};
  return {
    ...(whole ? {} : before),
    ...id,
    ...Object.fromEntries(fields.map((name) => [name, row[name] ?? null])),
  };
}

function replaced(
  rules: Rules,
  records: readonly Keyed[],
  valid: readonly Keyed[],
  content: (row: Row) => string,
  state: State,
  outcome: Outcome,
): Outcome {
  const taken = valid.filter(({ row }) => !rules.refuses(row));
  outcome.error += valid.length - taken.length;
  outcome.total = records.length;
  const rest = [...state.target];
  state.target = taken.map(({ row }) => {
    const there = rest.findIndex((one) =>
      rules.keyed ? sameRow(rules, one, row) : content(one) === content(row),
    );
    const [before] = there < 0 ? [] : rest.splice(there, 1);
    if (before === undefined) outcome.insert++;
    else if (content(before) !== content(row)) outcome.update++;
    return written(rules, row, before ?? {});
  });
  // The row of a record that could not be sent stays as it is.
  const stays = rest.filter((one) => rules.keyed && records.some(({ row }) => sameRow(rules, one, row)));
  outcome.delete = rest.length - stays.length;
  state.target.push(...stays);
  state.known = undefined;
  return outcome;
}
