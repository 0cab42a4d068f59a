import { expect, test } from 'vitest';
import { type Claims, records, type Subject } from './conformance-harness.ts';
import {
  BatchRefused,
  type ModelSyncMode,
  type ModelWriter,
  type OutgoingRecord,
  type TargetDefinition,
} from './contract.ts';

export function destinationTests(subject: Subject, { modes, transactional }: Claims): void {
  const sync = { id: crypto.randomUUID(), name: 'conformance' };
  const whole = () => subject().harness.destination?.wholeRecords === true;
  const field = (name: string) => ({ name, type: 'string' as const, remoteType: 'text', nullable: true });
  const outgoing = (id: string, name: string | null, note: string | null): OutgoingRecord => ({
    key: id,
    hash: String(id.length),
    values: [...(whole() ? [id] : []), name, note],
  });
  const parts = () => {
    const { harness, session } = subject();
    const { destination } = harness;
    const { modelDestination } = session;
    if (destination === undefined || modelDestination === undefined) throw new Error('no destination');
    return { destination, modelDestination };
  };
  const definition = (mode: ModelSyncMode, createOnly = false): TargetDefinition => {
    const { object, configuration = {}, identity, fields } = parts().destination;
    return {
      sync,
      object,
      configuration,
      mode,
      ...(identity === undefined ? {} : { identity }),
      fields: [
        ...(whole() ? [{ source: field('id'), target: identity ?? '', createOnly: false }] : []),
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

  if (modes.includes('updateOrCreate')) {
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
  }

  if (modes.includes('append')) {
    test('append adds every record, every value exactly, once the batch was prepared; outcome() tells', async () => {
      const { writer, destination } = await open('append');
      const [one, ...others] = records.map(({ id, name, note }) => outgoing(id, name, note));
      if (one === undefined) throw new Error('no records');
      expect(await write(writer, one)).toEqual(['inserted']);
      const tokens: string[] = [];
      await writer.write(others, async (token) => {
        tokens.push(token);
        expect([...(await destination.contents()).keys()]).toEqual([one.key]);
      });
      const expected = new Map(records.map(({ id, name, note }) => [id, { name, note }]));
      expect(await destination.contents()).toEqual(expected);
      const interrupted = writer.write([outgoing('5', 'five', null)], async (token) => {
        tokens.push(token);
        throw new Error('killed here');
      });
      await expect(interrupted).rejects.toThrow('killed here');
      expect(await writer.outcome?.(tokens[0] ?? '')).toBe('committed');
      expect(await writer.outcome?.(tokens[1] ?? '')).toBe('aborted');
      expect(await destination.contents()).toEqual(expected);
    });
  }

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
          for (const { status, key, values } of rows) replaced[`${status} ${key}`] = values.slice(-2);
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

    test('replace: a record that is refused is refused when it is added, and the others go on', async ({
      skip,
    }) => {
      const { destination, modelDestination } = parts();
      skip(destination.refusedName === undefined, 'it takes everything');
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
