import type { Logger } from '../lib/log.ts';
import type { Execution } from './contract.ts';

/** Characters of a reason in the log: whole it is with the execution. */
const longest = 500;

/** The one line of the log that an execution leaves: whoever looks for what failed filters by its level. */
export function logEnd(log: Logger, execution: Execution, durationMs?: number): void {
  const { counts, errors, subject } = execution;
  const refused = (counts.error ?? 0) + (counts.errors ?? 0);
  const reason = errors.join('; ').replaceAll(/\s+/g, ' ');
  const line = {
    execution_id: execution.id,
    organization_id: execution.organizationId,
    sync_id: execution.syncId,
    name: subject.sync_name,
    kind: execution.kind,
    trigger: execution.trigger,
    status: execution.status,
    counts,
    ...(reason === '' ? {} : { reason: reason.length > longest ? `${reason.slice(0, longest)}…` : reason }),
    ...(durationMs === undefined ? {} : { duration_ms: Math.round(durationMs) }),
  };
  if (execution.status === 'failed') log.error(line, 'execution.finished');
  else if (execution.status === 'errors' || refused > 0) log.warn(line, 'execution.finished');
  else log.info(line, 'execution.finished');
}
