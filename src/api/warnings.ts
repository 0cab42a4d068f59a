import type { FastifyReply } from 'fastify';

/** What a caller may not expect of a request that was done, in words. */
const warningHeader = 'tidemark-warning';

/** @param warning in ASCII, as a header takes it. */
export function warn(reply: FastifyReply, warning: string): void {
  reply.header(warningHeader, warning);
}
