import { openConnection } from '../connections/index.ts';
import type { Field } from '../connectors/index.ts';
import { invalidField } from '../errors.ts';
import { jsonText } from '../lib/pg-text.ts';
import { type Computed, withComputedFields } from './computed-fields.ts';
import { declaredFieldOf } from './declared-field.ts';
import type { Enricher } from './enricher.ts';
import { enrichmentOf } from './enrichment.ts';
import { valueAt } from './json-as-text.ts';
import type { Layer } from './layer.ts';
import { LookupCache } from './lookup-cache.ts';
import { type LookedUp, type LookupCounts, Lookups } from './lookups.ts';
import { relatedName } from './related-name.ts';
import { spooled } from './spool.ts';

/** Records whose answers are in memory at a time. */
const atATime = 250;

/** Looks up fields of records at a service. */
export const enrichmentLayer: Layer = async ({ deps, model, wanted, signal, warn }, below) => {
  const { enricher } = model;
  if (enricher == null) return below(wanted);
  const names = new Map(enricher.fields.map((field) => [relatedName(enricher.id, field.name), field]));
  const asked = [...names].filter(([name]) => wanted?.includes(name) ?? false);
  if (asked.length === 0) return below(wanted);
  const stack = new AsyncDisposableStack();
  try {
    const inputs = Object.keys(enricher.mappings);
    const others = wanted?.filter((name) => !names.has(name)) ?? [];
    const source = stack.use(await below([...new Set([...others, ...inputs])]));
    const known = await source.fields();
    const inputFields = inputs.map((name) => needed(known, name));
    const opened = await openConnection(deps, model.organizationId, enricher.connectionId, signal);
    stack.defer(() => opened.session.close());
    const enrichment = enrichmentOf(opened.session, opened.connection.type, 'enricher.connection_id');
    const lookup = enrichment.lookup(enricher.configuration);
    const cache = new LookupCache(deps.db, enricher.connectionId, lookup.cacheHours);
    const lookups = new Lookups(lookup, cache, signal);
    stack.defer(async () => {
      await cache.tidy();
      const told = inWords(lookups.counts);
      if (told !== undefined) await warn?.(`Enrichment by ${opened.connection.name}: ${told}`);
    });
    const fields = asked.map(([, field]) => field);
    const enriched = withComputedFields(
      { ...source, records: (query, keys) => spooled(source.records(query, keys)) },
      {
        fields: asked.map(([name, field]) => ({ ...declaredFieldOf(field), name })),
        inputs,
        async compute(records) {
          const computed: Computed[] = [];
          for (let start = 0; start < records.length; start += atATime) {
            const some = records.slice(start, start + atATime);
            const requests = some.map((values) => lookup.request(inputsOf(enricher, inputFields, values)));
            const answers = await lookups.answer(requests.flatMap((request) => request ?? []));
            for (const request of requests) {
              computed.push(computedOf(fields, request === undefined ? { json: null } : answers.shift()));
            }
          }
          return computed;
        },
      },
      async (problem) => warn?.(problem),
    );
    return { ...enriched, costly: true, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
};

function inputsOf(
  { mappings }: Enricher,
  inputs: readonly Field[],
  values: readonly (string | null)[],
): Map<string, string | null> {
  return new Map(
    inputs.map((field, index) => [mappings[field.name] ?? '', inputText(values[index] ?? null, field)]),
  );
}

/** As JSON spells it, which is what services know: true, 2024-02-29T23:59:59Z; a text without its quotes. */
function inputText(text: string | null, field: Field): string | null {
  if (text === null) return null;
  const json = jsonText(text, field);
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function needed(fields: readonly Field[], name: string): Field {
  const field = fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  throw invalidField('enricher.mappings', `the model has no field ${name} any more`);
}

function computedOf(
  fields: Enricher['fields'],
  answer: LookedUp = { problem: 'it was not asked' },
): Computed {
  if ('problem' in answer) {
    return { values: fields.map(() => null), problem: `the enrichment failed: ${answer.problem}` };
  }
  const { json } = answer;
  return { values: fields.map(({ path, type }) => valueAt(json ?? 'null', path, type)) };
}

/** Nothing when everything was found. */
function inWords({ sent, cached, nothing, failed }: LookupCounts): string | undefined {
  if (nothing + failed === 0) return undefined;
  return `${sent} looked up, ${cached} known, ${nothing} of which the service has nothing, ${failed} failed`;
}
