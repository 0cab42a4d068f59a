export { draftModel } from './draft.ts';
export { enrichedFields, type FieldsOfOthers } from './enricher.ts';
export { enrichmentInputs, enrichmentMeta } from './enrichment.ts';
export type { Model } from './model.ts';
export { modelJobTask, modelJobTaskOf, startModelJobWorker } from './model-job-worker.ts';
export {
  getModelJob,
  type ModelJob,
  type ModelJobRequest,
  modelJobQueue,
  modelJobTypes,
  startModelJob,
} from './model-jobs.ts';
export { openModelSource } from './open.ts';
export { fieldId, findField, findFieldById, presentDraft, presentFields, presentModel } from './present.ts';
export type { RecordQuery, RecordSource } from './record-source.ts';
export { relatedName, splitRelatedName } from './related-name.ts';
export { relatedModels } from './relations.ts';
export { sampleModel } from './sample.ts';
export { sourceFields, sourceMeta } from './source.ts';
export { withStorableKey } from './storable-key.ts';
export {
  createModel,
  deleteModel,
  findEnrichedModel,
  getModel,
  listModels,
  updateModel,
} from './store.ts';
export { modelsRelatedTo, modelsUsing, relationsToMissingFields, unrelate } from './uses.ts';
