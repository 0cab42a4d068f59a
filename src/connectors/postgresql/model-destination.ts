import { checkedReplacement, checkedWriter } from '../checked.ts';
import type { ModelDestination } from '../contract.ts';
import type { Connect } from './bulk-source.ts';
import { alikeIdentities } from './model-alike.ts';
import { targetCreation } from './model-creation.ts';
import { fitsOf } from './model-fits.ts';
import { refusals } from './model-fixed-values.ts';
import { targetLife } from './model-life.ts';
import { modelReplacement } from './model-replacement.ts';
import { describeTarget, listTargets } from './model-target.ts';
import { modelWriter } from './model-writer.ts';
import { type TransactionOptions, targetOptions } from './transaction.ts';
import { filterCondition } from './where.ts';
import { withReader } from './with-client.ts';

const asking: TransactionOptions = { ...targetOptions, path: 'system' };

export function modelDestination(connect: Connect): ModelDestination {
  const describe = (object: string) =>
    withReader(connect, 'tidemark targets', (client) => describeTarget(client, object), asking);
  return {
    creation: targetCreation(connect),
    objects: () => withReader(connect, 'tidemark targets', listTargets, asking),
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
    async replacement(definition, refused) {
      const target = await describe(definition.object);
      return checkedReplacement(
        await modelReplacement(connect, target, definition, refused),
        definition,
        fitsOf(target),
      );
    },
  };
}
