import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { identityOf } from '../../lib/process-lock.ts';

/** How long (ms) a left-behind PostgreSQL gets for each way of being asked to stop. */
const patience = 5000;

/**
 * Stops the PostgreSQL that a killed server left running on this cluster, and what is left of one that was
 * killed itself. It is stopped, not taken over: we could not see its log or its end, and a fast shutdown of
 * an idle server takes milliseconds. Whatever way it ends, PostgreSQL recovers at its next start.
 *
 * @param cluster its real path.
 */
export async function stopStale(cluster: string): Promise<void> {
  const pidFile = path.join(cluster, 'postmaster.pid');
  const [first] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const postmaster = Number(first);
  const left = () => processesOn(cluster, postmaster);

  // Asked for a fast shutdown, the postmaster ends its sessions. They do not outlive an immediate one either,
  // but a postmaster that is gone leaves them to us.
  if ((await left()).includes(postmaster)) send(postmaster, 'SIGINT');
  else for (const pid of await left()) send(pid, 'SIGQUIT');
  if (!(await ended(left))) {
    for (const pid of await left()) send(pid, 'SIGKILL');
    if (!(await ended(left))) throw new Error(`PostgreSQL ${await left()} on ${cluster} cannot be ended`);
  }
  // Its process id may belong to somebody else by now; PostgreSQL would take that for a running server.
  await rm(pidFile, { force: true });
}

/**
 * The ids of the postgres processes that work on a cluster. On Linux those are told by their working directory:
 * the pid file alone knows neither sessions that outlived their postmaster nor a folder that was moved.
 */
async function processesOn(cluster: string, postmaster: number): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => undefined);
  if (entries === undefined) return (await isPostmasterOf(cluster, postmaster)) ? [postmaster] : [];
  const pids = entries.filter((name) => /^\d+$/.test(name));
  const identity = await identityOf(cluster);
  const working = await Promise.all(pids.map((pid) => worksIn(pid, identity)));
  return pids.filter((_, index) => working[index]).map(Number);
}

async function worksIn(pid: string, identity: string): Promise<boolean> {
  try {
    if ((await identityOf(`/proc/${pid}/cwd`)) !== identity) return false;
    // "postgres (deleted)" when the packages were installed anew meanwhile.
    return path.basename(await readlink(`/proc/${pid}/exe`)).startsWith('postgres');
  } catch {
    // Another user's process, or one that has just ended.
    return false;
  }
}

/** Process ids are reused: only a postgres that names this cluster is ours to stop. */
async function isPostmasterOf(cluster: string, pid: number): Promise<boolean> {
  if (!(pid > 0)) return false;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.includes('postgres') && stdout.includes(`-D ${cluster} `);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ended(left: () => Promise<number[]>): Promise<boolean> {
  for (const deadline = Date.now() + patience; Date.now() < deadline; await delay(20)) {
    if ((await left()).length === 0) return true;
  }
  return false;
}
