export * from './contract.ts';
export { connectors, findConnector } from './registry.ts';
