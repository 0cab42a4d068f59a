import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Another process has the lock. */
export class LockHeld extends Error {
  override name = 'LockHeld';
  /** Process id of who has it, if it says so. */
  readonly holder: string;

  constructor(holder = 'unknown') {
    super(`process ${holder} has it`);
    this.holder = holder;
  }
}

export interface ProcessLock {
  release(): Promise<void>;
}

/**
 * Takes a name of this machine for this process, until `release` or its end: the operating system gives up a listening
 * socket whatever kills the process, which a lock file would outlive. Who asks in vain is told the holder's process
 * id through that very socket.
 *
 * @throws LockHeld
 */
export async function takeLock(name: string): Promise<ProcessLock> {
  const address = socketAddress(name);
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  for (let attempt = 0; ; attempt++) {
    if (await listens(server, address)) break;
    const holder = await askHolder(address);
    if (holder !== undefined || attempt > 0) throw new LockHeld(holder);
    // A socket file that nobody listens on was left by a killed process.
    await rm(address, { force: true });
  }
  server.unref();
  return {
    async release() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whether some process has the lock. */
export async function isLocked(name: string): Promise<boolean> {
  return (await askHolder(socketAddress(name))) !== undefined;
}

/** What tells a folder from every other, whatever its path: a copy has another one, another way to it has the same. */
export async function identityOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return `${dev}:${ino}`;
}

function socketAddress(lock: string): string {
  const name = `tidemark-${createHash('sha256').update(lock).digest('hex').slice(0, 24)}`;
  // Linux has sockets without a file; elsewhere a short path is needed, which a data directory may not have.
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(os.tmpdir(), `${name}.sock`);
}

async function listens(server: net.Server, address: string): Promise<boolean> {
  server.listen(address);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}

/** The process id of whoever listens; undefined when nobody does. */
async function askHolder(address: string): Promise<string | undefined> {
  const socket = net.connect(address);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}
