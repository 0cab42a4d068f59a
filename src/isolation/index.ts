export { ProcessDied } from './isolate.ts';
export { ProcessPool, type TaskHost } from './pool.ts';
export { later, type Steering, serveTasks, type Task } from './serve-tasks.ts';
