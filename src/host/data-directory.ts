import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What Tidemark keeps in its data directory. Files with secrets are readable by their owner only. */
export interface DataDirectory {
  folder: string;
  recordLogs: string;
  apiKeyFile: string;
  /** URL of the metadata database of the server that runs here, for `tidemark worker` and other commands. */
  databaseUrlFile: string;
}

export async function openDataDirectory(folder: string): Promise<DataDirectory> {
  // Not 0700: the embedded PostgreSQL may run as another user and must get through to its own folder.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const recordLogs = path.join(folder, 'record-logs');
  await mkdir(recordLogs, { recursive: true, mode: 0o700 });
  return {
    folder,
    recordLogs,
    apiKeyFile: path.join(folder, 'api-key'),
    databaseUrlFile: path.join(folder, 'database-url'),
  };
}

/** Replaces a secret file as a whole: a reader sees the old or the new content, never half of it. */
export async function writeSecret(file: string, content: string): Promise<void> {
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, `${content}\n`, { mode: 0o600 });
  await rename(partial, file);
}

export async function readSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text?.trim();
}

/** The encryption key of an embedded server: made at its first start. Without it the secrets are lost. */
export async function encryptionKeyIn(folder: string): Promise<Buffer> {
  const file = path.join(folder, 'encryption-key');
  const existing = await readSecret(file);
  if (existing !== undefined) return Buffer.from(existing, 'base64');
  const key = randomBytes(32);
  await writeSecret(file, key.toString('base64'));
  return key;
}
