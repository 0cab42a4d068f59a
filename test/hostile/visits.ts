import type { BulkColumn, Session } from '../../src/connectors/contract.ts';
import { copyRows } from '../support/copy-rows.ts';

/** What a session has to read and write at a system. */
export interface Place {
  /** Schema of the catalogue with the fields id and name, which is also a bulk table. */
  schemaId?: string;
  /** Configuration of a model that reads it. */
  model?: Record<string, string>;
  /** Target object with the fields id and name. */
  object?: string;
  targetConfiguration?: Record<string, string>;
  /** Schema of bulk destinations. */
  schema?: string;
}

/** One thing that the server does with a user's system. */
export type Visit = (session: Session, place: Place) => Promise<unknown>;

const field = (name: string) => ({ name, type: 'string' as const, remoteType: 'text', nullable: true });

const columns: BulkColumn[] = ['id', 'name'].map((name) => ({
  ...{ name, outputName: name, type: name === 'id' ? 'bigint' : 'text', nullable: name !== 'id' },
}));

const rows = Array.from({ length: 40 }, (_, index) => [String(index), `name ${index}`]);

function part<Name extends keyof Session>(session: Session, name: Name): NonNullable<Session[Name]> {
  const found = session[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found as NonNullable<Session[Name]>;
}

async function drain(batches: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of batches);
}

const query = ({ model = {} }: Place) => ({ configuration: model, fields: ['id', 'name'], identity: 'id' });

async function readBulk(session: Session, { schemaId = '' }: Place, first: boolean): Promise<void> {
  const source = part(session, 'bulkSource');
  const table = await source.table(schemaId, undefined);
  await source.ranges?.(table, 10);
  const format = first ? table.formats[0] : table.formats.at(-1);
  await drain(await source.read(table, format ?? 'copy-text', {}));
}

async function load(session: Session, { schema = '' }: Place, mode: 'replace' | 'merge'): Promise<void> {
  const destination = part(session, 'bulkDestination');
  const target = { schema, name: `copied_${mode}` };
  await destination.standing(target);
  const opened = await destination.load(
    { ...target, origin: undefined, columns, primaryKey: ['id'] },
    { executionId: crypto.randomUUID(), mode, truncate: false, ranged: false, strangers: 'overwrite' },
  );
  try {
    await opened.write(copyRows(rows), 'copy-text');
    await opened.commit({});
  } catch (error) {
    await opened.discard();
    throw error;
  }
}

const definition = ({ object = '', targetConfiguration = {} }: Place) => ({
  sync: { id: '0198a5a0-0000-7000-8000-000000000001', name: 'hostile' },
  object,
  configuration: targetConfiguration,
  identity: 'id',
  fields: ['id', 'name'].map((name) => ({ source: field(name), target: name, createOnly: false })),
});

const records = Array.from({ length: 5 }, (_, index) => ({
  ...{ key: String(index), hash: '1', values: [String(index), `name ${index}`] },
}));

export const visits = {
  test: (session) => session.test(),
  schemas: (session) => part(session, 'catalogue').schemas(),
  records: (session, { schemaId = '' }) => part(session, 'catalogue').records(schemaId, 10),
  meta: (session) => part(session, 'modelSource').meta({}),
  fields: (session, { model = {} }) => part(session, 'modelSource').fields(model),
  sample: (session, { model = {} }) => part(session, 'modelSource').sample(model, ['id', 'name'], 10),
  modelKeys: (session, place) => drain(part(session, 'modelSource').keys(query(place))),
  modelRecords: (session, place) => drain(part(session, 'modelSource').records(query(place))),
  modelSome: (session, place) => drain(part(session, 'modelSource').records(query(place), ['1', '7'])),
  readBest: (session, place) => readBulk(session, place, true),
  readText: (session, place) => readBulk(session, place, false),
  loadReplace: (session, place) => load(session, place, 'replace'),
  loadMerge: (session, place) => load(session, place, 'merge'),
  objects: (session) => part(session, 'modelDestination').objects(),
  targetFields: (session, { object = '' }) => part(session, 'modelDestination').fields(object),
  async write(session, place) {
    const destination = part(session, 'modelDestination');
    const writer = await destination.writer({ ...definition(place), mode: 'updateOrCreate' });
    const tokens: string[] = [];
    await writer.write(records, async (token) => void tokens.push(token));
    for (const token of tokens) await writer.outcome?.(token);
  },
  async replace(session, place) {
    const destination = part(session, 'modelDestination');
    const replacement = await destination.replacement?.({ ...definition(place), mode: 'replace' });
    await replacement?.add(records);
    const none = (async function* () {})();
    await replacement?.replace(
      none,
      async () => {},
      async () => {},
    );
  },
  async lookup(session) {
    const lookup = part(session, 'enrichment').lookup({});
    const request = lookup.request(new Map([['id', '1']]));
    if (request !== undefined) await lookup.send(request);
  },
} satisfies Record<string, Visit>;

export type VisitName = keyof typeof visits;
