/**
 * A process that runs what speaks to systems of users, for the worker or server that started it. Whatever such a system makes
 * of it, it dies alone. Argument: for whom it works, `worker` or `server`.
 */
import { serveTasks } from './isolation/index.ts';
import { openIsolate } from './open-isolate.ts';

const deps = await openIsolate(process.env);
if (process.argv[2] === 'server') {
  const { serverTasks } = await import('./server-tasks.ts');
  serveTasks(await serverTasks(deps));
} else {
  const { workerTasks } = await import('./worker-tasks.ts');
  serveTasks(workerTasks(deps));
}
