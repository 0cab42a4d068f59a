import { notFound } from '../../errors.ts';
import type { ModelDestination, TargetField } from '../contract.ts';
import type { DestinationContext } from './bulk-destination.ts';
import { modelReplacement } from './model-replacement.ts';
import { fileSettings, ModelTable } from './model-table.ts';
import { appendWriter } from './model-writer.ts';

const objectId = 'files';

/** Every mapping ends here: the columns of the files are named after the model's fields. */
const record: TargetField = {
  id: 'record',
  name: 'Record',
  type: 'object',
  remoteType: 'object',
  nullable: true,
  required: false,
  createable: true,
  updateable: true,
  filterable: false,
  identityFunctions: ['Equality'],
};

export function modelDestination(context: DestinationContext): ModelDestination {
  return {
    objects: async () => [
      { id: objectId, name: 'Files', modes: ['append', 'replace'], requiresConfiguration: true },
    ],
    async fields(object) {
      if (object !== objectId) throw notFound('target object', object);
      return [record];
    },
    check: (_object, configuration) => void fileSettings(configuration),
    place(configuration) {
      const { schema, name } = fileSettings(configuration).output;
      return `${schema}/${name}`;
    },
    writer: async (definition) => appendWriter(new ModelTable(context, definition)),
    replacement: (definition) =>
      modelReplacement(new ModelTable(context, definition), context.engines, definition),
  };
}
