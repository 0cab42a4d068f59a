export { draftModel } from './draft.ts';
export type { Model } from './model.ts';
export { fieldId, presentDraft, presentFields, presentModel } from './present.ts';
export { sampleModel } from './sample.ts';
export { sourceFields, sourceMeta, sourceParameters } from './source.ts';
export { createModel, deleteModel, getModel, listModels, updateModel } from './store.ts';
