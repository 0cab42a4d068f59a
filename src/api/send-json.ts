import type { FastifyReply } from 'fastify';

/** Sends text that is JSON already. The route's response schema describes it. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}
