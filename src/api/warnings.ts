import type { FastifyReply } from 'fastify';

/** What a caller may not expect of a request that was done, in words. */
const warningHeader = 'tidemark-warning';

/** @param warning in ASCII, as a header takes it. */
function warn(reply: FastifyReply, warning: string): void {
  reply.header(warningHeader, warning);
}

/** A sync is not active where `active` is left out: it would wait for its schedules for ever. */
export function warnIfIdle(reply: FastifyReply, active: boolean, frequencies: readonly string[]): void {
  if (active || frequencies.every((frequency) => frequency === 'manual')) return;
  warn(reply, 'active is false: the schedule starts nothing until the sync is active');
}
