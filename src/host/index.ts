export { checkEncryptionKeys, requireEncryptionKeys } from './check-encryption-keys.ts';
export { clearDataDirectory } from './clear.ts';
export {
  announceServer,
  type DataDirectory,
  openDataDirectory,
  ownPorts,
  readApiKey,
  readRunningServer,
  writeSecret,
} from './data-directory.ts';
export { encryptionKeys } from './encryption-keys.ts';
export { DataDirectoryInUse, lockDataDirectory } from './lock.ts';
export { reseal } from './reseal.ts';
export { Supervisor } from './supervisor.ts';
