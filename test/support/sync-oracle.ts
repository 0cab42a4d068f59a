import type { ModelSyncMode } from '../../src/connectors/index.ts';

export type Row = Record<string, string | null>;

/** What a sync does, said without a database: docs/model-syncs.md, read by somebody who has only that. */
export interface Rules {
  mode: ModelSyncMode;
  /** By `id`; without it a record is its content. */
  keyed: boolean;
  fields: string[];
  /** Content that the target does not take. */
  refuses(row: Row): boolean;
}

export interface Outcome {
  target: Row[];
  insert: number;
  update: number;
  delete: number;
  error: number;
  total: number;
  /** Of the errors, those that were never sent. */
  invalid: number;
}

/** @param known what earlier executions left: of each record what the target acknowledged. It is brought up to date. */
export function foretell(
  rules: Rules,
  model: readonly Row[],
  target: readonly Row[],
  known: Map<string, string>,
): Outcome {
  const content = (row: Row) => JSON.stringify(rules.fields.map((name) => row[name] ?? null));
  const records = keyedRecords(rules, model, content);
  const valid = records.filter(
    ({ key }) => key !== null && records.filter((one) => one.key === key).length === 1,
  );
  const invalid = records.length - valid.length;
  const outcome = {
    target: [...target],
    insert: 0,
    update: 0,
    delete: 0,
    error: invalid,
    total: invalid,
    invalid,
  };
  if (rules.mode === 'replace') return replaced(rules, records, valid, content, outcome);
  for (const key of known.keys()) if (!records.some((one) => one.key === key)) known.delete(key);
  for (const { key, row } of valid) {
    const done =
      rules.mode === 'create' || rules.mode === 'remove' ? known.has(key) : known.get(key) === content(row);
    if (done) continue;
    outcome.total++;
    // From here on only an answer of the target makes it known.
    known.delete(key);
    const there = rules.keyed ? outcome.target.findIndex((one) => one.id === row.id) : -1;
    const effect = effectOf(rules.mode, there >= 0);
    if (effect === 'none') {
      if (rules.mode === 'create') known.set(key, content(row));
      continue;
    }
    if (effect !== 'delete' && rules.refuses(row)) {
      outcome.error++;
      continue;
    }
    outcome[effect]++;
    known.set(key, content(row));
    if (effect === 'delete') outcome.target.splice(there, 1);
    else if (effect === 'insert') outcome.target.push(written(rules, row, {}));
    else outcome.target[there] = written(rules, row, outcome.target[there] ?? {});
  }
  return outcome;
}

interface Keyed {
  key: string;
  row: Row;
}

function keyedRecords(rules: Rules, model: readonly Row[], content: (row: Row) => string): Keyed[] {
  const seen = new Map<string, number>();
  return model.map((row) => {
    if (rules.keyed) return { key: row.id as string, row };
    const occurrence = (seen.get(content(row)) ?? 0) + 1;
    seen.set(content(row), occurrence);
    return { key: `${content(row)}#${occurrence}`, row };
  });
}

function effectOf(mode: ModelSyncMode, there: boolean): 'insert' | 'update' | 'delete' | 'none' {
  if (mode === 'append') return 'insert';
  if (mode === 'remove') return there ? 'delete' : 'none';
  if (there) return mode === 'create' ? 'none' : 'update';
  return mode === 'update' ? 'none' : 'insert';
}

function written({ fields, keyed }: Rules, row: Row, before: Row): Row {
  const names = keyed ? ['id', ...fields] : fields;
  return { ...before, ...Object.fromEntries(names.map((name) => [name, row[name] ?? null])) };
}

function replaced(
  rules: Rules,
  records: readonly Keyed[],
  valid: readonly Keyed[],
  content: (row: Row) => string,
  outcome: Outcome,
): Outcome {
  const taken = valid.filter(({ row }) => !rules.refuses(row));
  outcome.error += valid.length - taken.length;
  outcome.total = records.length;
  const rest = [...outcome.target];
  outcome.target = taken.map(({ row }) => {
    const there = rest.findIndex((one) => (rules.keyed ? one.id === row.id : content(one) === content(row)));
    const [before] = there < 0 ? [] : rest.splice(there, 1);
    if (before === undefined) outcome.insert++;
    else if (content(before) !== content(row)) outcome.update++;
    return written(rules, row, before ?? {});
  });
  // The row of a record that could not be sent stays as it is.
  const stays = rest.filter((one) => rules.keyed && records.some(({ key }) => key === one.id));
  outcome.delete = rest.length - stays.length;
  outcome.target.push(...stays);
  return outcome;
}
