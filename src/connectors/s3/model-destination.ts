import { notFound } from '../../errors.ts';
import type { ModelDestination } from '../contract.ts';
import { recordField } from '../record-field.ts';
import type { DestinationContext } from './bulk-destination.ts';
import { modelReplacement } from './model-replacement.ts';
import { fileSettings, ModelTable } from './model-table.ts';
import { appendWriter } from './model-writer.ts';

const objectId = 'files';

export function modelDestination(context: DestinationContext): ModelDestination {
  return {
    objects: async () => [
      { id: objectId, name: 'Files', modes: ['append', 'replace'], requiresConfiguration: true },
    ],
    async fields(object) {
      if (object !== objectId) throw notFound('target object', object);
      return [recordField];
    },
    check: (_object, configuration) => void fileSettings(configuration),
    place(configuration) {
      const { schema, name } = fileSettings(configuration).output;
      return `${schema}/${name}`;
    },
    async life(definition) {
      const live = await new ModelTable(context, definition).live();
      return { isEmpty: live === undefined, rows: async () => live?.manifest.rows ?? 0 };
    },
    writer: async (definition) => appendWriter(new ModelTable(context, definition)),
    replacement: (definition) =>
      modelReplacement(new ModelTable(context, definition), context.engines, definition),
  };
}
