export { cancelModelSync, createModelSync, deleteModelSync, updateModelSync } from './crud.ts';
export { listModelSyncs, pageModelSyncs } from './list.ts';
export type { ModelSync } from './model-sync.ts';
export { presentItem, presentModelSync, scheduleOptions } from './present.ts';
export { modelSyncRunner } from './runner.ts';
export { modelSyncStatus, startModelSync } from './start.ts';
export { getModelSync, setActive } from './store.ts';
export { describeCreateProperty, describeTarget, listTargetObjects } from './targets.ts';
