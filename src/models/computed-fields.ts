import { conditionsOf, type FixedExpression, matcher } from '../conditions/index.ts';
import type { Field, SourceRecord } from '../connectors/index.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { hash64 } from '../lib/hash64.ts';
import type { RecordQuery, RecordSource } from './record-source.ts';

type Values = (string | null)[];

/** Fields that are made of the fields below them, record by record. */
export interface Computation {
  fields: readonly Field[];
  /** Names of the fields below that they are made of. */
  inputs: readonly string[];
  /** @param records values of the inputs. @returns for each record, in order, values of the fields. */
  compute(records: readonly Values[]): Promise<Computed[]> | Computed[];
}

export interface Computed {
  values: Values;
  /** Why they could not be had. */
  problem?: string;
}

/**
 * A source with more fields. What does not ask for them goes straight to the source below, and is hashed and filtered
 * there; everything else reads whole records, and is hashed and filtered here.
 *
 * @param told gets the problems of sample records, which are shown without the values.
 */
export function withComputedFields(
  below: RecordSource,
  computation: Computation,
  told: (problem: string) => Promise<void> = async () => {},
): RecordSource {
  const computed = new Set(computation.fields.map(({ name }) => name));
  const isComputed = (name: string) => computed.has(name);

  async function* read(query: RecordQuery, keys?: readonly string[]): AsyncGenerator<SourceRecord[]> {
    const { fields, hashed, identity, filter } = query;
    const { pushed, kept } = splitFilter(filter, isComputed);
    const matches = kept && matcher(kept, [...(await below.fields()), ...computation.fields]);
    const hashesHere = (hashed ?? fields).some(isComputed);
    const keyedHere = identity !== undefined && isComputed(identity);
    const needed = [...fields, ...(matches?.fields ?? []), ...(hashesHere ? (hashed ?? []) : [])];
    const inner = [...new Set([...needed.filter((name) => !isComputed(name)), ...computation.inputs])];
    const place = placesOf(inner, computation.fields);
    const inputs = computation.inputs.map(place);
    const given = fields.map(place);
    const compared = (hashed ?? fields).map(place);
    const tested = matches?.fields.map(place) ?? [];
    const wanted = keys === undefined ? undefined : new Set(keys);
    const records = below.records(
      {
        fields: inner,
        ...(hashesHere ? {} : { hashed: hashed ?? fields }),
        ...(identity === undefined || keyedHere ? {} : { identity }),
        ...(pushed === undefined ? {} : { filter: pushed }),
      },
      keyedHere ? undefined : keys,
    );
    for await (const batch of records) {
      const results = await computation.compute(batch.map(({ values }) => pick(values, inputs)));
      const made = batch.flatMap(({ key, hash, values, problem }, index) => {
        const result = results[index];
        const all = [...values, ...(result?.values ?? [])];
        const trouble = problem ?? result?.problem;
        // Of a record that is not whole nobody knows whether it fits: it is told of.
        if (trouble === undefined && matches?.matches(pick(all, tested)) === false) return [];
        const record: SourceRecord = {
          key: keyedHere ? (all[place(identity)] ?? null) : key,
          hash: hashesHere ? hash64(encodeCopyText([pick(all, compared)])) : hash,
          values: pick(all, given),
          ...(trouble === undefined ? {} : { problem: trouble }),
        };
        const asked = !keyedHere || wanted === undefined || (record.key !== null && wanted.has(record.key));
        return asked ? [record] : [];
      });
      if (made.length > 0) yield made;
    }
  }

  const concerns = ({ fields, hashed, identity, filter }: RecordQuery, withFields: boolean) =>
    [
      ...(withFields || hashed === undefined ? fields : []),
      ...(hashed ?? []),
      ...(identity === undefined ? [] : [identity]),
    ].some(isComputed) ||
    (filter !== undefined && conditionsOf(filter).some(({ field }) => isComputed(field)));

  return {
    fields: async () => [...(await below.fields()), ...computation.fields],
    async sample(fields, limit) {
      const inner = [...new Set([...fields.filter((name) => !isComputed(name)), ...computation.inputs])];
      if (!fields.some(isComputed)) return below.sample(fields, limit);
      const place = placesOf(inner, computation.fields);
      const rows = await below.sample(inner, limit);
      const inputs = computation.inputs.map(place);
      const results = await computation.compute(rows.map((row) => pick(row, inputs)));
      for (const { problem } of results) if (problem !== undefined) await told(problem);
      return rows.map((row, index) => pick([...row, ...(results[index]?.values ?? [])], fields.map(place)));
    },
    keys: (query) => {
      if (!concerns(query, false)) return below.keys({ ...query, fields: query.hashed ?? query.fields });
      return read(query);
    },
    records: (query, keys) => (concerns(query, true) ? read(query, keys) : below.records(query, keys)),
    [Symbol.asyncDispose]: () => below[Symbol.asyncDispose](),
  };
}

/** Of conditions that must all hold, those that the source below can ask are asked there. */
export function splitFilter(
  filter: FixedExpression | undefined,
  isComputed: (name: string) => boolean,
): { pushed?: FixedExpression; kept?: FixedExpression } {
  if (filter === undefined) return {};
  const parts = 'and' in filter ? filter.and : [filter];
  const staysHere = (part: FixedExpression) => conditionsOf(part).some(({ field }) => isComputed(field));
  const [kept, pushed] = [parts.filter(staysHere), parts.filter((part) => !staysHere(part))];
  return {
    ...(pushed.length === 0 ? {} : { pushed: { and: pushed } }),
    ...(kept.length === 0 ? {} : { kept: { and: kept } }),
  };
}

/** Where a field's value is, computed ones standing behind the others. */
function placesOf(inner: readonly string[], computed: readonly Field[]): (name: string) => number {
  const places = new Map([...inner, ...computed.map(({ name }) => name)].map((name, index) => [name, index]));
  return (name) => places.get(name) ?? -1;
}

function pick(values: readonly (string | null)[], places: readonly number[]): Values {
  return places.map((place) => values[place] ?? null);
}
