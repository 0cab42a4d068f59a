export { checkTiming } from './check.ts';
export { executionEnded } from './execution-ended.ts';
export { scheduleOptions } from './options.ts';
export { activateSchedules, type ScheduleDraft, saveSchedules } from './save.ts';
export type { Schedule, ScheduleSettings } from './schedule.ts';
export { startScheduler } from './scheduler.ts';
export { stopRunningAfter, syncsRunningAfter } from './stop-running-after.ts';
export { nextRuns, schedulesOf, startsAfter } from './store.ts';
