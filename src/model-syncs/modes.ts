import type { ModelSyncMode } from '../connectors/index.ts';

interface ModeDescription {
  label: string;
  description: string;
  requires_identity: boolean;
}

/** What the modes mean, in words people choose by. */
export const modeDescriptions: Record<ModelSyncMode, ModeDescription> = {
  create: {
    label: 'Create',
    description: 'Creates new records; leaves existing ones alone',
    requires_identity: false,
  },
  update: {
    label: 'Update',
    description: 'Changes existing records; creates none',
    requires_identity: true,
  },
  updateOrCreate: {
    label: 'Update or create',
    description: 'Changes existing records and creates the others',
    requires_identity: true,
  },
  append: {
    label: 'Append',
    description: 'Adds every new or changed record, without looking for an existing one',
    requires_identity: false,
  },
  replace: {
    label: 'Replace',
    description: 'Makes the target equal to the model: adds, changes and deletes records',
    requires_identity: false,
  },
  remove: {
    label: 'Remove',
    description: 'Deletes the records that the model has',
    requires_identity: true,
  },
};
