import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const main = path.join(import.meta.dirname, '../../bin/tidemark.mjs');

/** `tidemark serve` as a process of its own, on a free port. */
export interface TestServer {
  url: string;
  apiKey: string;
  dataDir: string;
  child: ChildProcess;
  /** Everything it wrote to standard output and error so far. */
  output(): string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** kill -9; the data directory stays. */
  kill(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready.
 *
 * @param environment over the defaults; without DATABASE_URL the server brings its own PostgreSQL.
 * @param dataDir one that exists, to start again on it; otherwise one that `stop` removes.
 */
export async function startTestServer(
  environment: Record<string, string> = {},
  dataDir?: string,
): Promise<TestServer> {
  const folder = dataDir ?? (await temporaryFolder());
  const { child, output, ready } = spawnServer({ TIDEMARK_DATA_DIR: folder, ...environment });
  const url = await ready;
  const apiKey =
    environment.TIDEMARK_API_KEY ?? (await readFile(path.join(folder, 'api-key'), 'utf8')).trim();
  const ended = once(child, 'exit') as Promise<[number | null]>;
  return {
    url,
    apiKey,
    dataDir: folder,
    child,
    output,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await ended;
      if (dataDir === undefined) await rm(folder, { recursive: true, force: true });
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts a server without waiting; `ready` rejects with its output when it ends before it is ready. */
export function spawnServer(environment: Record<string, string>): {
  child: ChildProcess;
  output: () => string;
  ready: Promise<string>;
} {
  const defaults = {
    TIDEMARK_PORT: '0',
    TIDEMARK_LOG_LEVEL: 'warn',
    // Where the tests' databases and receivers are.
    TIDEMARK_EGRESS_ALLOW: 'loopback',
    // Required with DATABASE_URL; an embedded server makes its own.
    ...(environment.DATABASE_URL === undefined
      ? {}
      : { TIDEMARK_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64') }),
  };
  const child = spawn(process.execPath, [main, 'serve'], {
    env: { ...inherited(), ...defaults, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const [, url] = /^Tidemark is ready at (\S+)$/.exec(line) ?? [];
        if (url !== undefined) resolve(url);
      });
    }
    child.once('close', (code) => reject(new Error(`the server ended (${code}):\n${lines.join('\n')}`)));
  });
  return { child, output: () => lines.join('\n'), ready };
}

/** Nothing of the tests' environment but what a process needs to start, fast. */
export function inherited(): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}

/** mkdtemp makes a folder only we may enter; the embedded PostgreSQL may run as another user. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-test-'));
  await chmod(folder, 0o755);
  return folder;
}
