import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '../config.ts';
import { messageOf } from '../errors.ts';

/** What Tidemark keeps in its data directory. Files with secrets are readable by their owner only. */
export interface DataDirectory {
  folder: string;
  recordLogs: string;
  apiKeyFile: string;
}

/** What commands beside a running server need to know of it. */
export interface RunningServer {
  url: string;
  /** Of the embedded PostgreSQL. Without one the URL is the user's secret, and not ours to put on a disk. */
  databaseUrl?: string | undefined;
  /** Which directory it runs on, as `identityOf` has it. */
  directory?: string;
}

/** @throws ConfigError when the folder cannot be made or written. */
export async function openDataDirectory(folder: string): Promise<DataDirectory> {
  const recordLogs = path.join(folder, 'record-logs');
  try {
    // Not 0700: the embedded PostgreSQL may run as another user and must get through to its own folder.
    await mkdir(folder, { recursive: true, mode: 0o711 });
    await mkdir(recordLogs, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ConfigError(`TIDEMARK_DATA_DIR: ${messageOf(cause)}. It takes a folder that can be written.`, {
      cause,
    });
  }
  return { folder, recordLogs, apiKeyFile: path.join(folder, 'api-key') };
}

/** Replaces a secret file as a whole: a reader sees the old or the new content, never half of it. */
export async function writeSecret(file: string, content: string): Promise<void> {
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, `${content}\n`, { mode: 0o600, flush: true });
  await rename(partial, file);
}

/** @returns undefined when there is no such file. */
export async function readSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text?.trim();
}

/** The first user's key, if this directory's server made it. */
export async function readApiKey({ apiKeyFile }: DataDirectory): Promise<string | undefined> {
  return await readSecret(apiKeyFile);
}

export const announcementFile = ({ folder }: DataDirectory) => path.join(folder, 'server.json');

/** What a server announced here, or on the directory that this one is a copy of. It may be gone. */
export async function readAnnouncement(directory: DataDirectory): Promise<RunningServer | undefined> {
  const text = await readSecret(announcementFile(directory));
  return text === undefined ? undefined : (JSON.parse(text) as RunningServer);
}
