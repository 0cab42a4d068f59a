import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/** Sends text that is JSON already. The route's response schema describes it. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}

/** Sends a list whose items may be large: between two of them others have their turn. */
export async function sendList<Item>(
  reply: FastifyReply,
  items: readonly Item[],
  present: (item: Item) => unknown,
): Promise<FastifyReply> {
  const texts: string[] = [];
  for (const item of items) {
    texts.push(JSON.stringify(present(item)));
    await turn();
  }
  return sendJson(reply, `{"data":[${texts.join(',')}]}`);
}
