export { checkEncryptionKeys, requireEncryptionKeys } from './check-encryption-keys.ts';
export { clearDataDirectory } from './clear.ts';
export { type DataDirectory, openDataDirectory, readApiKey, writeSecret } from './data-directory.ts';
export { encryptionKeys } from './encryption-keys.ts';
export { DataDirectoryInUse, lockDataDirectory } from './lock.ts';
export { reseal } from './reseal.ts';
export { announceServer, isCopyOfRunning, ownPorts, readRunningServer } from './running-server.ts';
export { Supervisor } from './supervisor.ts';
