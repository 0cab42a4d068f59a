import { checkedReplacement, checkedWriter } from '../checked.ts';
import type { ModelDestination, TargetObject } from '../contract.ts';
import { tableId } from '../table-id.ts';
import type { Connect } from './bulk-source.ts';
import { alikeIdentities } from './model-alike.ts';
import { targetCreation } from './model-creation.ts';
import { fitsOf } from './model-fits.ts';
import { refusals } from './model-fixed-values.ts';
import { targetLife } from './model-life.ts';
import { modelReplacement } from './model-replacement.ts';
import { describeTarget, modesOf, type Rights, writableTables } from './model-target.ts';
import { modelWriter } from './model-writer.ts';
import { targetOptions } from './transaction.ts';
import { filterCondition } from './where.ts';
import { withReader } from './with-client.ts';

export function modelDestination(connect: Connect): ModelDestination {
  const describe = (object: string) =>
    withReader(connect, 'tidemark targets', (client) => describeTarget(client, object), targetOptions);
  return {
    creation: targetCreation(connect),
    objects: () =>
      withReader(connect, 'tidemark targets', async (client): Promise<TargetObject[]> => {
        const { rows } = await client.query<{ schema: string; name: string } & Rights>(
          `select schema, name, is_view, selects, inserts, updates, deletes from (${writableTables}) t order by 1, 2`,
        );
        return rows.map(({ schema, name, ...rights }) => {
          const id = tableId(schema, name);
          return { id, name: id, modes: modesOf(rights) };
        });
      }),
    fields: async (object) => (await describe(object)).fields,
    refusals: async (object, values) => refusals(connect, await describe(object), values),
    alike: async (definition) => alikeIdentities(connect, await describe(definition.object), definition),
    life: ({ object }) => targetLife(connect, object),
    async writer(definition) {
      const target = await describe(definition.object);
      const { filter } = definition;
      if (filter !== undefined) {
        await withReader(
          connect,
          'tidemark targets',
          (client) => filterCondition(client, target.table, target.fields, filter),
          targetOptions,
        );
      }
      return checkedWriter(await modelWriter(connect, target, definition), definition, fitsOf(target));
    },
    async replacement(definition) {
      const target = await describe(definition.object);
      return checkedReplacement(
        await modelReplacement(connect, target, definition),
        definition,
        fitsOf(target),
      );
    },
  };
}
