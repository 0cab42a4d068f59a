export { sourcesOfModelSync } from './connections-of.ts';
export {
  activateModelSync,
  cancelModelSync,
  createModelSync,
  deleteModelSync,
  updateModelSync,
} from './crud.ts';
export { changeModel } from './guard-model.ts';
export { listModelSyncs, pageModelSyncs } from './list.ts';
export type { ModelSync } from './model-sync.ts';
export { presentItem, presentModelSync } from './present.ts';
export { modelSyncRunner } from './runner.ts';
export { dropStaleTables } from './stale-tables.ts';
export { modelSyncStatus, startModelSync, startScheduledModelSync } from './start.ts';
export { getModelSync } from './store.ts';
export { describeCreateProperty, presentCreator } from './target-creation.ts';
export { describeTarget, listTargetObjects } from './targets.ts';
export { modelSyncsAfter, modelSyncsUsing } from './uses.ts';
