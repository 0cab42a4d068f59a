import type { ModelJob } from '../models/index.ts';

/** `JobResponse` on the wire, as JSON text: a sample among the results has numbers that must keep their digits. */
export function jobJson({ id, type, status, error, result }: ModelJob): string {
  const job = JSON.stringify({ job_id: id, type, status, error });
  return result === null ? job : `${job.slice(0, -1)},"result":${result}}`;
}
