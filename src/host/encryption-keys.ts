import { randomBytes } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { type DataDirectory, readSecret, writeSecret } from './data-directory.ts';

export interface EncryptionKeys {
  /** Newest first. */
  keys: Buffer[];
  /** Where they come from, to begin a message with. */
  source: string;
  /** Made now and on no disk before `keep`: the database may hold what another key sealed. */
  isNew: boolean;
  keep(): Promise<void>;
}

/**
 * The configured encryption keys, or that of the data directory, made at its first start. With a database of
 * the user's a key must be configured: the next server on that database may have another data directory.
 *
 * @throws ConfigError
 */
export async function encryptionKeys(
  { encryptionKeys: configured, databaseUrl }: Pick<Config, 'encryptionKeys' | 'databaseUrl'>,
  { folder }: DataDirectory,
): Promise<EncryptionKeys> {
  const keep = async () => {};
  if (configured !== undefined) {
    return { keys: configured, source: 'TIDEMARK_ENCRYPTION_KEY', isNew: false, keep };
  }
  if (databaseUrl !== undefined) {
    throw new ConfigError(
      'TIDEMARK_ENCRYPTION_KEY: required with DATABASE_URL, for every server and worker the same. ' +
        'Make one with "openssl rand -base64 32" and keep it: what it sealed cannot be read without it.',
    );
  }
  const file = path.join(folder, 'encryption-key');
  const stored = await readSecret(file);
  if (stored === undefined) {
    const key = randomBytes(32);
    return {
      keys: [key],
      source: file,
      isNew: true,
      keep: () => writeSecret(file, key.toString('base64')),
    };
  }
  await requireDatabase(folder, file);
  const key = Buffer.from(stored, 'base64');
  if (key.length !== 32) {
    throw new ConfigError(
      `${file}: holds ${key.length} bytes in base64 instead of the 32 of an encryption key. Put back the file of your backup.`,
    );
  }
  return { keys: [key], source: file, isNew: false, keep };
}

/** The key is kept once the database is there: without it the directory is part of a copy, and the rest is elsewhere. */
async function requireDatabase(folder: string, file: string): Promise<void> {
  const database = path.join(folder, 'postgresql');
  if ((await lstat(database).catch(() => undefined)) !== undefined) return;
  throw new ConfigError(
    `${file}: is there, and the database that it belongs to (${database}) is not. If ${folder} was copied in part, ` +
      'copy all of it ("cp -a", while its server is stopped). To begin with an empty database, remove this file.',
  );
}
