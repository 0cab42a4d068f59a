/**
 * What every connector must do, as tests. A connector's own test file calls `describeConnector` with a harness
 * that makes it a fresh system to talk to; fix a connector's bug by adding the case that would have caught it.
 */
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FixedExpression } from '../conditions/index.ts';
import { createEgress, type Egress } from '../egress/index.ts';
import type { JsonObject } from '../lib/json.ts';
import {
  BatchRefused,
  type Connector,
  type ConnectorContext,
  type ModelSyncMode,
  type ModelWriter,
  type OutgoingRecord,
  type Session,
  type TargetDefinition,
} from './contract.ts';

/** What is claimed, and so tested. A part that is not claimed gets no test; one that is must be there. */
export interface Claims {
  source: boolean;
  modes: readonly ModelSyncMode[];
  /** The destination looks at identities, refuses bad values, and can tell what became of a batch. */
  transactional: boolean;
}

/** A system under test, and the ways to look at it that do not go through the connector. */
export interface ConnectorHarness {
  configuration: JsonObject;
  /** The organization's folder, for a connector of local files. */
  folder?: string;
  /** A configuration of the same shape that cannot work. Undefined: this connector cannot tell. */
  broken?: JsonObject;
  source?: {
    /** A schema with the fields id, name and note, a key on id, and the three records of `records`. */
    schemaId: string;
    /** The system knows no keys. */
    keyless?: true;
    /** The model configuration that reads it. */
    model: JsonObject;
    /** A model configuration that selects nothing. Undefined: an empty one. */
    nothing?: JsonObject;
    /** Changes the name of one record. */
    rename(id: string, name: string): Promise<void>;
  };
  destination?: {
    object: string;
    /** Target field that identifies a record; undefined for destinations that do not look at it. */
    identity?: string;
    /** Target fields for name and note. */
    fields: { name: string; note: string };
    /** A value that the destination refuses as a name. Undefined: it takes everything. */
    refusedName?: string;
    /** What it holds, by identity. */
    contents(): Promise<Map<string, { name: string | null; note: string | null }>>;
    clear(): Promise<void>;
  };
  close(): Promise<void>;
}

/** What the harness's source holds: null is not empty, and neither is a backslash, a tab or an emoji. */
export const records = [
  { id: '1', name: 'Zoë 🌊', note: null },
  { id: '2', name: '', note: 'tab\tnewline\nback\\slash' },
  { id: '9007199254740993', name: '{"quoted", NULL}', note: '\\N' },
] as const;

export function describeConnector(
  connector: Connector,
  claims: Claims,
  prepare: () => Promise<ConnectorHarness>,
): void {
  describe(`${connector.id} keeps the connector contract`, () => {
    let harness: ConnectorHarness;
    let egress: Egress;
    let context: ConnectorContext;
    let session: Session;

    beforeAll(async () => {
      harness = await prepare();
      egress = createEgress({ allow: ['127.0.0.0/8'] });
      context = { egress, ...(harness.folder === undefined ? {} : { folder: harness.folder }) };
      session = connector.open(harness.configuration, context);
    });
    afterAll(async () => {
      await session.close();
      await egress.close();
      await harness.close();
    });

    test('its configuration is described as data', () => {
      const { configuration } = harness;
      expect(connector.id).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(Value.Check(connector.configuration, configuration)).toBe(true);
      expect(Value.Check(connector.configuration, {})).toBe(false);
      const { properties } = connector.configuration;
      for (const [key, property] of Object.entries(properties)) {
        const secret =
          /password|secret$|private_key|_key$|client_cert/.test(key) && !/client_certs/.test(key);
        if (secret) expect((property as { sensitive?: boolean }).sensitive, key).toBe(true);
      }
    });

    test('its parts are what its capabilities say', () => {
      const { capabilities } = connector;
      expect(session.modelSource !== undefined || session.bulkSource !== undefined).toBe(capabilities.source);
      const writes = session.modelDestination !== undefined || session.bulkDestination !== undefined;
      expect(writes).toBe(capabilities.destination);
    });

    test('test() succeeds for what works, and says in words what does not', async () => {
      await session.test();
      if (harness.broken === undefined) return;
      const broken = connector.open(harness.broken, context);
      await expect(broken.test()).rejects.toThrow(/\w+ \w+/);
      await broken.close();
    });

    test('a closed session can be closed again', async () => {
      const other = connector.open(harness.configuration, context);
      await other.close();
      await other.close();
    });

    if (claims.source) sourceTests(() => ({ harness, session }));
    if (claims.modes.length > 0) destinationTests(() => ({ harness, session }), claims);
  });
}

type Subject = () => { harness: ConnectorHarness; session: Session };

function sourceTests(subject: Subject): void {
  const parts = () => {
    const { harness, session } = subject();
    const { source } = harness;
    const { modelSource: model, catalogue } = session;
    if (source === undefined || model === undefined || catalogue === undefined) throw new Error('no source');
    return { source, model, catalogue };
  };
  const fields = ['id', 'name', 'note'];

  test('catalogue: stable ids, fields with types, the key, sample records', async () => {
    const found = parts();
    const [first, second] = await Promise.all([found.catalogue.schemas(), found.catalogue.schemas()]);
    expect(first).toEqual(second);
    const schema = first.find(({ id }) => id === found.source.schemaId);
    expect(schema?.fields.map((field) => field.name)).toEqual(fields);
    expect(schema?.fields.map((field) => field.primaryKey)).toEqual([
      found.source.keyless !== true,
      false,
      false,
    ]);
    expect((await found.catalogue.records(found.source.schemaId, 2)).length).toBe(2);
    await expect(found.catalogue.records('no.such', 1)).rejects.toMatchObject({ key: 'not_found' });
  });

  test('a model’s fields and sample; a configuration that selects nothing is refused', async () => {
    const found = parts();
    expect((await found.model.fields(found.source.model)).map((field) => field.name)).toEqual(fields);
    expect((await found.model.sample(found.source.model, ['name'], 1)).length).toBe(1);
    await expect(found.model.fields(found.source.nothing ?? {})).rejects.toMatchObject({ status: 400 });
  });

  test('records come exactly, with the keys and hashes that keys() gives', async () => {
    const found = parts();
    const query = { configuration: found.source.model, fields, identity: 'id' };
    const all = (await Array.fromAsync(found.model.records(query))).flat();
    const values = Object.fromEntries(all.map(({ key, values: list }) => [key, list]));
    expect(values).toEqual(Object.fromEntries(records.map(({ id, name, note }) => [id, [id, name, note]])));
    const keys = (await Array.fromAsync(found.model.keys(query))).flat();
    const pairs = (list: { key: string | null; hash: string }[]) =>
      list.map(({ key, hash }) => `${key} ${hash}`).sort();
    expect(pairs(keys)).toEqual(pairs(all));
    for (const { hash } of all) expect(BigInt.asIntN(64, BigInt(hash)).toString()).toBe(hash);
    const some = (await Array.fromAsync(found.model.records(query, ['2', 'none']))).flat();
    expect(some.map(({ key }) => key)).toEqual(['2']);
  });

  test('a filter keeps the records that fit it; one that does not suit the fields is refused by name', async () => {
    const found = parts();
    const query = { configuration: found.source.model, fields: ['name'], identity: 'id' };
    const kept = async (filter: FixedExpression) => {
      const [keys, records] = [
        found.model.keys({ ...query, filter }),
        found.model.records({ ...query, filter }),
      ];
      const ofKeys = (await Array.fromAsync(keys)).flat().map(({ key }) => key);
      expect((await Array.fromAsync(records)).flat().map(({ key }) => key)).toEqual(ofKeys);
      return ofKeys.sort();
    };
    const note = { field: 'note', function: 'StringContains', value: '\\' } as const;
    expect(await kept(note)).toEqual(['2', '9007199254740993']);
    expect(await kept({ not: note })).toEqual(['1']);
    const big = { field: 'id', function: 'Equality', value: '9007199254740993' } as const;
    expect(await kept({ or: [big, { field: 'name', function: 'Equality', value: 'Zoë 🌊' }] })).toEqual([
      '1',
      big.value,
    ]);
    const refused = found.model.keys({ ...query, filter: { ...note, field: 'nope' } });
    await expect(Array.fromAsync(refused)).rejects.toMatchObject({
      key: 'invalid_field',
      message: expect.stringContaining('filter on nope: "nope" is no field; there are id'),
    });
  });

  test('without an identity every record has a key of its own', async () => {
    const found = parts();
    const query = { configuration: found.source.model, fields: ['note'] };
    const keys = (await Array.fromAsync(found.model.keys(query))).flat().map(({ key }) => key);
    expect(new Set(keys).size).toBe(records.length);
    expect(keys).not.toContain(null);
  });

  test('a hash changes when a value does, and only then', async () => {
    const found = parts();
    const query = { configuration: found.source.model, fields: ['name'], identity: 'id' };
    const hashes = async () =>
      new Map((await Array.fromAsync(found.model.keys(query))).flat().map(({ key, hash }) => [key, hash]));
    const before = await hashes();
    expect(await hashes()).toEqual(before);
    await found.source.rename('1', 'another');
    const after = await hashes();
    await found.source.rename('1', records[0].name);
    expect(after.get('1')).not.toBe(before.get('1'));
    expect(after.get('2')).toBe(before.get('2'));
    expect(await hashes()).toEqual(before);
  });
}

function destinationTests(subject: Subject, { modes, transactional }: Claims): void {
  const field = (name: string) => ({ name, type: 'string' as const, remoteType: 'text', nullable: true });
  const outgoing = (id: string, name: string | null, note: string | null): OutgoingRecord => ({
    key: id,
    hash: String(id.length),
    values: [name, note],
  });
  const parts = () => {
    const { harness, session } = subject();
    const { destination } = harness;
    const { modelDestination } = session;
    if (destination === undefined || modelDestination === undefined) throw new Error('no destination');
    return { destination, modelDestination };
  };
  const definition = (mode: ModelSyncMode, createOnly = false): TargetDefinition => {
    const { object, identity, fields } = parts().destination;
    return {
      sync: { id: crypto.randomUUID(), name: 'conformance' },
      object,
      configuration: {},
      mode,
      ...(identity === undefined ? {} : { identity }),
      fields: [
        { source: field('name'), target: fields.name, createOnly },
        { source: field('note'), target: fields.note, createOnly: false },
      ],
    };
  };
  const open = async (mode: Exclude<ModelSyncMode, 'replace'>, createOnly = false, clear = true) => {
    const { destination, modelDestination } = parts();
    if (clear) await destination.clear();
    const writer = await modelDestination.writer(definition(mode, createOnly));
    return { writer, destination };
  };
  const write = async (writer: ModelWriter, ...list: OutgoingRecord[]) =>
    (await writer.write(list, async () => {})).map(({ status }) => status);

  test('it lists its objects and their fields; an unknown one is not found', async () => {
    const { destination, modelDestination } = parts();
    const objects = await modelDestination.objects();
    expect(objects.find(({ id }) => id === destination.object)?.modes).toEqual(modes);
    const ids = (await modelDestination.fields(destination.object)).map(({ id }) => id);
    expect(ids).toContain(destination.fields.name);
    await expect(modelDestination.fields('no.such')).rejects.toMatchObject({ key: 'not_found' });
  });

  test('updateOrCreate writes every value exactly', async () => {
    const { writer, destination } = await open('updateOrCreate');
    const statuses = await write(writer, ...records.map(({ id, name, note }) => outgoing(id, name, note)));
    expect(statuses.every((status) => status === 'inserted' || status === 'upserted')).toBe(true);
    const expected = new Map(records.map(({ id, name, note }) => [id, { name, note }]));
    expect(await destination.contents()).toEqual(expected);
    if (transactional) {
      expect(await write(writer, outgoing('1', 'new', 'x'), outgoing('5', 'five', null))).toEqual([
        'updated',
        'inserted',
      ]);
    }
  });

  if (!transactional) return;

  test('create leaves what exists, update leaves what does not', async () => {
    const create = await open('create');
    expect(await write(create.writer, outgoing('1', 'one', null))).toEqual(['inserted']);
    expect(await write(create.writer, outgoing('1', 'two', null), outgoing('2', 'b', null))).toEqual([
      'skipped',
      'inserted',
    ]);
    expect((await create.destination.contents()).get('1')?.name).toBe('one');
    const update = await open('update');
    expect(await write(update.writer, outgoing('7', 'seven', null))).toEqual(['skipped']);
    expect((await update.destination.contents()).size).toBe(0);
  });

  if (modes.includes('replace')) {
    const replace = async (kept: string[], ...batches: OutgoingRecord[][]) => {
      const { destination, modelDestination } = parts();
      const replacement = await modelDestination.replacement?.(definition('replace'));
      const before = await destination.contents();
      for (const batch of batches) await replacement?.add(batch);
      expect(await destination.contents()).toEqual(before);
      const replaced: Record<string, (string | null)[]> = {};
      await replacement?.replace(
        (async function* () {
          yield kept;
        })(),
        async (rows) => {
          for (const { status, key, values } of rows) replaced[`${status} ${key}`] = values;
        },
        async () => {},
      );
      return replaced;
    };

    test('replace: what was added is all there is, in one step, and what changed is told', async () => {
      const { destination } = parts();
      await destination.clear();
      const all = records.map(({ id, name, note }) => outgoing(id, name, note));
      const first = await replace([], all.slice(0, 2), all.slice(2));
      expect(first).toEqual(
        Object.fromEntries(records.map(({ id, name, note }) => [`inserted ${id}`, [name, note]])),
      );
      const expected = new Map(records.map(({ id, name, note }) => [id, { name, note }]));
      expect(await destination.contents()).toEqual(expected);
      // Of a record that was refused nothing is known but its identity: its row stays.
      const [one, two, three] = records;
      const second = await replace([two.id], [outgoing(one.id, 'new', one.note), outgoing('5', null, null)]);
      expect(second).toEqual({
        [`updated ${one.id}`]: ['new', one.note],
        [`deleted ${three.id}`]: [three.name, three.note],
        'inserted 5': [null, null],
      });
      expect([...(await destination.contents()).keys()].sort()).toEqual(['1', '2', '5']);
      expect(
        await replace([two.id], [outgoing(one.id, 'new', one.note)], [outgoing('5', null, null)]),
      ).toEqual({});
      expect(Object.keys(await replace([])).sort()).toEqual(['deleted 1', 'deleted 2', 'deleted 5']);
    });

    test('replace: a record that is refused is refused when it is added, and the others go on', async () => {
      const { destination, modelDestination } = parts();
      await destination.clear();
      const replacement = await modelDestination.replacement?.(definition('replace'));
      if (replacement === undefined) throw new Error('no replacement');
      const bad = outgoing('1', destination.refusedName ?? '', null);
      await expect(replacement.add([outgoing('2', 'fine', null), bad])).rejects.toThrow(BatchRefused);
      await replacement.add([outgoing('3', 'fine', null)]);
      const tokens: string[] = [];
      await replacement.replace(
        (async function* () {})(),
        async () => {},
        async (token) => {
          tokens.push(token);
          expect((await destination.contents()).size).toBe(0);
        },
      );
      expect([...(await destination.contents()).keys()]).toEqual(['3']);
      expect(await replacement.outcome?.(tokens[0] ?? '')).toBe('committed');
    });
  }

  if (modes.includes('remove')) {
    test('remove deletes what it finds, and says what it did not find', async () => {
      const { writer, destination } = await open('updateOrCreate');
      await write(writer, ...records.map(({ id, name, note }) => outgoing(id, name, note)));
      const kept = await destination.contents();
      kept.delete('2');
      const remove = await open('remove', false, false);
      expect(await write(remove.writer, outgoing('2', null, null), outgoing('7', null, null))).toEqual([
        'deleted',
        'skipped',
      ]);
      expect(await destination.contents()).toEqual(kept);
    });
  }

  test('a field written on creation only keeps a value that is there, and fills one that is not', async () => {
    const opened = await open('updateOrCreate', true);
    const { writer, destination } = opened;
    await write(writer, outgoing('1', 'first', 'a'), outgoing('2', null, 'a'));
    await write(writer, outgoing('1', 'second', 'b'), outgoing('2', 'second', 'b'));
    const contents = await destination.contents();
    expect(contents.get('1')).toEqual({ name: 'first', note: 'b' });
    expect(contents.get('2')).toEqual({ name: 'second', note: 'b' });
  });

  test('a batch that is refused leaves nothing, and the writer goes on', async () => {
    const { writer, destination } = await open('updateOrCreate');
    const refused = destination.refusedName ?? '';
    const batch = [outgoing('1', 'fine', null), outgoing('2', refused, null)];
    await expect(writer.write(batch, async () => {})).rejects.toThrow(BatchRefused);
    expect((await destination.contents()).size).toBe(0);
    expect(await write(writer, outgoing('1', 'fine', null))).toEqual(['inserted']);
  });

  test('prepared comes before the commit, and outcome() tells afterwards which it was', async () => {
    const { writer, destination } = await open('updateOrCreate');
    const tokens: string[] = [];
    await writer.write([outgoing('1', 'one', null)], async (token, results) => {
      tokens.push(token);
      expect(results).toEqual([{ status: 'inserted' }]);
      expect((await destination.contents()).size).toBe(0);
    });
    const interrupted = writer.write([outgoing('2', 'two', null)], async (token) => {
      tokens.push(token);
      throw new Error('killed here');
    });
    await expect(interrupted).rejects.toThrow('killed here');
    const [committed = '', aborted = ''] = tokens;
    expect(await writer.outcome?.(committed)).toBe('committed');
    expect(await writer.outcome?.(aborted)).toBe('aborted');
    expect([...(await destination.contents()).keys()]).toEqual(['1']);
  });
}
