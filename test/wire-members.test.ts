import pino from 'pino';
import { expect, test } from 'vitest';
import { type ApiDependencies, buildApp } from '../src/api/index.ts';
import { operations } from '../src/api/operations.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { wire } from './wire-members.ts';

interface Node {
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
  type?: unknown;
  refused?: string;
  noEffect?: string;
  readOnly?: boolean;
}
type Reading = 'read' | 'refused' | 'without effect' | 'for reading';

/** What becomes of every member that the schema of a query or body declares. */
function membersOf(node: Node, place = ''): Map<string, Reading> {
  const found = new Map<string, Reading>();
  for (const branch of node.anyOf ?? [node]) {
    if (branch.anyOf !== undefined) for (const one of membersOf(branch, place)) found.set(...one);
    if (branch.items !== undefined)
      for (const one of membersOf(branch.items, `${place}[]`)) found.set(...one);
    for (const [name, inner] of Object.entries(branch.properties ?? {})) {
      const at = place === '' ? name : `${place}.${name}`;
      found.set(at, readingOf(inner));
      for (const one of membersOf(inner, at)) found.set(...one);
    }
  }
  return found;
}

function readingOf({ refused, noEffect, readOnly }: Node): Reading {
  if (refused !== undefined) return 'refused';
  if (noEffect !== undefined) return 'without effect';
  return readOnly ? 'for reading' : 'read';
}

async function declaredOf(): Promise<Map<string, { query: Node; body: Node }>> {
  const declared = new Map<string, { query: Node; body: Node }>();
  // Routes are only registered, never called: nothing of the rest is touched.
  const dependencies = { log: pino({ level: 'silent' }), keyRing: new KeyRing([Buffer.alloc(32)]) };
  const app = buildApp(dependencies as ApiDependencies, (instance) => {
    instance.addHook('onRoute', ({ method, schema, config }) => {
      if (config?.notBuilt || method === 'HEAD' || schema?.operationId === undefined) return;
      const { querystring = {}, body = {} } = schema as { querystring?: Node; body?: Node };
      declared.set(schema.operationId, { query: querystring, body });
    });
  });
  await app.close();
  return declared;
}

/** A member, or what it is a part of: what is refused as a whole is not described in parts, and a map has any. */
function becomes(declared: Map<string, Reading>, schema: Node, member: string): Reading | undefined {
  if (schema.patternProperties !== undefined) return 'read';
  for (let at = member; at !== ''; at = at.replace(/(\.|^)[^.]*$/, '')) {
    const reading = declared.get(at);
    if (at === member && reading !== undefined) return reading;
    if (reading !== undefined && reading !== 'read') return reading;
  }
  return undefined;
}

/** The members that are not honoured. A change here is a decision: docs and changelog say it to users. */
const notHonoured = {
  refused: [
    'bulkSync.create body schedule.multi',
    'bulkSync.create body schemas[].history_enabled',
    'bulkSync.executions.exportLogs query notify',
    'bulkSync.schemas.patch body schemas[].history_enabled',
    'bulkSync.schemas.update body history_enabled',
    'bulkSync.update body schedule.multi',
    'bulkSync.update body schemas[].history_enabled',
    'connections.create body redirect_url',
    'connections.update body reconnect',
    'modelSync.create body filters[].value_field.field',
    'modelSync.create body filters[].value_field.model_id',
    'modelSync.create body identities.mappings[].remote_field_type_id',
    'modelSync.create body identity.remote_field_type_id',
    'modelSync.create body policies',
    'modelSync.create body schedule.connection_id',
    'modelSync.create body schedule.job_id',
    'modelSync.create body target_filters.conditions[].value_source.field',
    'modelSync.create body target_filters.conditions[].value_source.model_id',
    'modelSync.targets.getTargetFields query properties',
    'modelSync.update body filters[].value_field.field',
    'modelSync.update body filters[].value_field.model_id',
    'modelSync.update body identities.mappings[].remote_field_type_id',
    'modelSync.update body identity.remote_field_type_id',
    'modelSync.update body policies',
    'modelSync.update body schedule.connection_id',
    'modelSync.update body schedule.job_id',
    'modelSync.update body target_filters.conditions[].value_source.field',
    'modelSync.update body target_filters.conditions[].value_source.model_id',
    'models.create body policies',
    'models.preview body policies',
    'models.update body policies',
  ],
  'without effect': [
    'bulkSync.delete query refresh_schemas',
    'modelSync.create body target.search_values',
    'modelSync.update body target.search_values',
  ],
};

test('every member that any generation of clients knows is honoured, or refused by name', async () => {
  const declared = await declaredOf();
  const undecided: string[] = [];
  const found: Record<string, string[]> = { refused: [], 'without effect': [] };
  for (const { operation, query = [], body = [] } of wire) {
    const schemas = declared.get(operation);
    for (const [part, members] of Object.entries({ query, body })) {
      const schema = schemas?.[part as 'query' | 'body'] ?? {};
      const known = membersOf(schema);
      for (const member of members) {
        const reading = becomes(known, schema, member);
        const name = `${operation} ${part} ${member}`;
        if (reading === undefined) undecided.push(name);
        else found[reading]?.push(name);
      }
    }
  }
  expect(undecided, 'declare it in the schema: read it, or refuse it').toEqual([]);
  expect(found.refused?.toSorted()).toEqual(notHonoured.refused);
  expect(found['without effect']?.toSorted()).toEqual(notHonoured['without effect']);
});

/** Members of Tidemark's own, beside the operations that are its own as a whole. */
const additions = [
  /^\S+ (query|body) (.*\.)?(timezone|time_zone|tz)$/,
  /^bulkSync\.(create|update) body destination_configuration\.(latest|advanced\.record_column_prefix)$/,
  /^bulkSync\.schedules\.(create|update) body schedule\.(syncMode|schemas)$/,
  // Both forms of a member are taken wherever one of them is.
  /^bulkSync\.\S+ body (schemas\[\]\.)?fields\[\]\.(obfuscate|obfuscated|output_name|user_output_name)$/,
  /^bulkSync\.\S+ body (schemas\[\]\.)?output_name$/,
  /^bulkSync\.(create|update) body (default_schedule\.multi|schedule\.id)$/,
  /^modelSync\.start body source_identities\[\]\./,
  /^connections\.update body redirect_url$/,
  /^events\.list query (wait|event_type)$/,
  /^webhooks\.listDeliveries query limit$/,
  /^users\.createApiKey body (name|expires_at)$/,
  /^modelSync\.\S+ body target_filters\.conditions\[\]\.value_source$/,
  /^((models|modelSync|bulkSync)\.delete|models\.update) query force$/,
  /^modelSync\.(create|update) body max_deletes$/,
  // As answers have them: clients send back what they read.
  /^models\.(create|preview|update) body (fields|labels)\[\]/,
  /^bulkSync\.(create|update) body destination_configuration\.(adopt|overwrite|advanced\.lookback_minutes)$/,
];

test('a member that no client knows is one of ours, by a decision', async () => {
  const own = new Set(
    operations.filter(([, , , , addition]) => addition).map(([, , operation]) => operation),
  );
  const known = new Map<string, Set<string>>();
  for (const { operation, query = [], body = [] } of wire) {
    const names = known.get(operation) ?? new Set();
    for (const [part, members] of Object.entries({ query, body })) {
      // With every place on the way to it.
      for (const member of members) {
        for (let at = member; at !== ''; at = at.replace(/(\.|^)[^.]*$/, '')) {
          names.add(`${part} ${at}`);
          names.add(`${part} ${at.replace(/(\[\])+$/, '')}`);
        }
      }
    }
    known.set(operation, names);
  }
  const undecided: string[] = [];
  for (const [operation, schemas] of await declaredOf()) {
    if (own.has(operation) || operation === 'modelSync.executions.getLogs') continue;
    for (const part of ['query', 'body'] as const) {
      for (const [member, reading] of membersOf(schemas[part])) {
        const name = `${operation} ${part} ${member}`;
        if (reading === 'for reading' || known.get(operation)?.has(`${part} ${member}`)) continue;
        if (!additions.some((addition) => addition.test(name))) undecided.push(name);
      }
    }
  }
  expect(undecided, 'a client knows it: put it into wire-members.ts; or it is ours: say so here').toEqual([]);
});
