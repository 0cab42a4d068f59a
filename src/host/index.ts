export {
  type DataDirectory,
  encryptionKeyIn,
  openDataDirectory,
  readSecret,
  writeSecret,
} from './data-directory.ts';
export { DataDirectoryInUse, lockDataDirectory } from './lock.ts';
export { Supervisor } from './supervisor.ts';
