import type { Config } from './config.ts';

/** What a process reads the same configuration from that its parent runs with, what the parent has found out included. */
export function environmentOf(
  config: Config,
  found: { databaseUrl: string; keys: readonly Buffer[]; publicUrl: string; folder: string },
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    ...Object.fromEntries(inherited),
    ...config.environment,
    DATABASE_URL: found.databaseUrl,
    TIDEMARK_ENCRYPTION_KEY: found.keys.map((key) => key.toString('base64')).join(','),
    TIDEMARK_PUBLIC_URL: found.publicUrl,
    TIDEMARK_DATA_DIR: found.folder,
  };
}
