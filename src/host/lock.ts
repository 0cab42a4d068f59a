import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type DataDirectory, readRunningServer } from './data-directory.ts';

/** Another server runs on the data directory. `message` names it. */
export class DataDirectoryInUse extends Error {
  override name = 'DataDirectoryInUse';
}

/**
 * Takes a data directory for this process, until `release` or its end: the operating system gives up a
 * listening socket whatever kills the process, which a lock file would outlive. Who asks in vain is told the
 * holder's process id through that very socket.
 */
export async function lockDataDirectory(directory: DataDirectory): Promise<{ release(): Promise<void> }> {
  const address = await socketAddress(directory.folder);
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  for (let attempt = 0; ; attempt++) {
    if (await listens(server, address)) break;
    const holder = await askHolder(address);
    if (holder !== undefined || attempt > 0) throw await inUse(directory, holder);
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

async function inUse(directory: DataDirectory, holder = 'unknown'): Promise<DataDirectoryInUse> {
  const server = await readRunningServer(directory);
  // One that is still starting, or already draining, has no address.
  const address = server === undefined ? '' : ` at ${server.url}`;
  return new DataDirectoryInUse(
    `Another Tidemark server (process ${holder}) runs${address} on ${directory.folder}. ` +
      'Stop it, or choose another folder with TIDEMARK_DATA_DIR.',
  );
}

async function socketAddress(folder: string): Promise<string> {
  const name = `tidemark-${createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 24)}`;
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
