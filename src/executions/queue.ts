import type { Queue } from '../jobs/index.ts';

/** One job per execution. A worker that stops sending heartbeats loses it to another after 10 to 15 s. */
export const executionQueue: Queue = {
  name: 'executions',
  heartbeatSeconds: 10,
  expireInSeconds: 23 * 3600,
  retryLimit: 1000,
};

export interface ExecutionJob {
  executionId: string;
}

/** NOTIFY channel; the payload is the id of an execution that is to be canceled. */
export const cancelChannel = 'tidemark_cancel';
