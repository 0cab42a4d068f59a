import { expect, test } from 'vitest';
import type { FixedExpression } from '../conditions/index.ts';
import { records, type Subject } from './conformance-harness.ts';

export function sourceTests(subject: Subject): void {
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
    const sample = await found.catalogue.records(found.source.schemaId, 10);
    expect(sample.map((record) => typeof JSON.parse(record))).toEqual(['object', 'object', 'object']);
    expect(sample.join()).toContain('9007199254740993');
    await expect(found.catalogue.records('no.such', 1)).rejects.toMatchObject({ key: 'not_found' });
  });

  test('a model’s fields and sample; a configuration that selects nothing is refused', async () => {
    const found = parts();
    expect((await found.model.fields(found.source.model)).map((field) => field.name)).toEqual(fields);
    expect(await found.model.sample(found.source.model, ['name'], 1)).toHaveLength(1);
    const sample = await found.model.sample(found.source.model, ['note', 'id'], 10);
    expect(sample.sort()).toEqual(records.map(({ id, note }) => [note, id]).sort());
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

  test('other fields than those that are read may be hashed', async () => {
    const found = parts();
    const base = { configuration: found.source.model, fields: ['note'], identity: 'id' };
    const hashes = async (hashed: string[]) =>
      new Map(
        (await Array.fromAsync(found.model.records({ ...base, hashed }))).flat().map((one) => [one.key, one]),
      );
    const [byName, byNote] = [await hashes(['name']), await hashes(['note'])];
    const keys = (await Array.fromAsync(found.model.keys({ ...base, hashed: ['name'] }))).flat();
    expect(new Map(keys.map(({ key, hash }) => [key, hash]))).toEqual(
      new Map([...byName].map(([key, { hash }]) => [key, hash])),
    );
    expect(byName.get('2')?.values).toEqual([records[1].note]);
    await found.source.rename('1', 'another');
    expect(await hashes(['note'])).toEqual(byNote);
    expect((await hashes(['name'])).get('1')?.hash).not.toBe(byName.get('1')?.hash);
    await found.source.rename('1', records[0].name);
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
