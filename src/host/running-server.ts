import { rm } from 'node:fs/promises';
import { identityOf } from '../lib/process-lock.ts';
import {
  announcementFile,
  type DataDirectory,
  type RunningServer,
  readAnnouncement,
  writeSecret,
} from './data-directory.ts';
import { isInUse } from './lock.ts';

/** Says that a server runs here, until `retract`. */
export async function announceServer(directory: DataDirectory, server: RunningServer) {
  const announcement = { ...server, directory: await identityOf(directory.folder) };
  await writeSecret(announcementFile(directory), JSON.stringify(announcement));
  return { retract: () => rm(announcementFile(directory), { force: true }) };
}

/** The server that runs on this very directory. A copy of the directory has what the original's server announced. */
export async function readRunningServer(directory: DataDirectory): Promise<RunningServer | undefined> {
  const announced = await readAnnouncement(directory);
  if (announced === undefined || (await isOfAnother(directory, announced))) return undefined;
  return (await isInUse(directory)) ? announced : undefined;
}

/** Whether this is a copy that was made while a server with a database in it ran, or after it was killed. */
export async function isCopyOfRunning(directory: DataDirectory): Promise<boolean> {
  const announced = await readAnnouncement(directory);
  return announced?.databaseUrl !== undefined && (await isOfAnother(directory, announced));
}

/**
 * Ports of this machine that no user is let through to: the embedded PostgreSQL listens there, if that is our database.
 * An announcement that cannot be trusted is still right about its own database.
 */
export async function ownPorts(directory: DataDirectory, databaseUrl: string): Promise<number[]> {
  const announced = await readAnnouncement(directory);
  return announced?.databaseUrl === databaseUrl ? [Number(new URL(databaseUrl).port)] : [];
}

/** Servers of earlier versions did not say which directory theirs is. */
async function isOfAnother({ folder }: DataDirectory, announced: RunningServer): Promise<boolean> {
  return announced.directory !== undefined && announced.directory !== (await identityOf(folder));
}
