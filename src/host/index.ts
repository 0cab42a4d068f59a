export { clearDataDirectory } from './clear.ts';
export {
  announceServer,
  type DataDirectory,
  encryptionKeys,
  openDataDirectory,
  readApiKey,
  readRunningServer,
  writeSecret,
} from './data-directory.ts';
export { DataDirectoryInUse, lockDataDirectory } from './lock.ts';
export { Supervisor } from './supervisor.ts';
export { takeWorkerFlags, workerFlags } from './worker-flags.ts';
