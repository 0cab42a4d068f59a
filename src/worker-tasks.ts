import { bulkSyncRunner } from './bulk-syncs/index.ts';
import { followTask, followTaskOf } from './connections/index.ts';
import { executionTask, executionTaskOf, runInProcess } from './executions/index.ts';
import type { Task } from './isolation/index.ts';
import { changeModel, modelSyncRunner } from './model-syncs/index.ts';
import { modelJobTask, modelJobTaskOf } from './models/index.ts';
import type { IsolateDependencies } from './open-isolate.ts';

/** What a worker has others do. */
export function workerTasks(deps: IsolateDependencies): Record<string, Task> {
  const { config, db } = deps;
  const runners = {
    model: modelSyncRunner(deps),
    bulk: bulkSyncRunner(deps, { rangeRows: config.bulkRangeRows, streams: config.bulkStreams }),
  };
  return {
    [executionTask]: executionTaskOf(db, runInProcess(deps, runners)),
    [modelJobTask]: modelJobTaskOf({ ...deps, changeModel }),
    [followTask]: followTaskOf(deps),
  };
}
