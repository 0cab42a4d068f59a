export * from './contract.ts';
export { newColumn } from './new-columns.ts';
export { takesRecords } from './record-field.ts';
export { connectors, findConnector } from './registry.ts';
export { compareRows, expectRows, type Written } from './row-counts.ts';
export { placeOf } from './s3/configuration.ts';
export { type ObjectStore, objectStore } from './s3/store.ts';
export { sampled } from './sampled.ts';
export { splitTableId } from './table-id.ts';
