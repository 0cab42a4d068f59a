import { checkedReplacement, checkedWriter } from '../checked.ts';
import type { ModelDestination } from '../contract.ts';
import { askServer, type Connect, withConnection } from './client.ts';
import { alikeIdentities } from './model-alike.ts';
import { targetCreation } from './model-creation.ts';
import { fitsOf } from './model-fits.ts';
import { refusals } from './model-fixed-values.ts';
import { targetLife } from './model-life.ts';
import { modelReplacement } from './model-replacement.ts';
import { describeTarget, listTargets } from './model-target.ts';
import { modelWriter } from './model-writer.ts';

export function modelDestination(connect: Connect, database: string | undefined): ModelDestination {
  const describe = (object: string) => askServer(connect, (connection) => describeTarget(connection, object));
  return {
    creation: targetCreation(connect, database),
    objects: () => withConnection(connect, (connection) => listTargets(connection, database)),
    fields: async (object) => (await describe(object)).fields,
    refusals: async (object, values) => refusals(connect, await describe(object), values),
    alike: async (definition) => alikeIdentities(connect, await describe(definition.object), definition),
    life: ({ object }) => targetLife(connect, object),
    async writer(definition) {
      const target = await describe(definition.object);
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
