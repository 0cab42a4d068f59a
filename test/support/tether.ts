import { spawn } from 'node:child_process';

/**
 * Has a server end with this process, however that ends: a run that is interrupted or killed would leave it behind. The
 * shell notices since its input closes. Its own group keeps Ctrl-C from ending it first.
 *
 * @returns lets go of the server, to be called once it has been stopped otherwise.
 */
export function tether(pid: number): () => void {
  const shell = spawn('sh', ['-c', `read -r end; kill -QUIT ${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  return () => shell.kill('SIGKILL');
}
