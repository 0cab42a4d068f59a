import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a left-behind PostgreSQL gets for each way of being asked to stop. */
const patience = 10_000;

/**
 * Stops the PostgreSQL that a killed server left running on this cluster. It is stopped, not taken over:
 * we could not see its log or its end, and a fast shutdown of an idle server takes milliseconds.
 */
export async function stopStale(cluster: string): Promise<void> {
  const pidFile = path.join(cluster, 'postmaster.pid');
  const [first, folder] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0) return;
  if (folder === cluster && (await isPostgres(pid, cluster))) {
    process.kill(pid, 'SIGINT');
    if (await gone(pid)) return;
    process.kill(pid, 'SIGQUIT');
    if (!(await gone(pid)))
      throw new Error(`PostgreSQL ${pid} on ${cluster} does not stop; end it and start again`);
    return;
  }
  // The process id belongs to somebody else now; PostgreSQL would refuse to start because it is alive.
  await rm(pidFile, { force: true });
}

/** Process ids are reused: only a postgres that names this cluster is ours to stop. */
async function isPostgres(pid: number, cluster: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  // Without /proc there is nothing better than the pid file's word.
  return command === undefined || (command.includes('postgres') && command.includes(cluster));
}

async function gone(pid: number): Promise<boolean> {
  for (const deadline = Date.now() + patience; Date.now() < deadline; await delay(20)) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
  }
  return false;
}
