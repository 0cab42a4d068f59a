import type { FastifyRequest } from 'fastify';
import { mask } from '../connections/index.ts';
import { isJsonObject, type Json } from '../lib/json.ts';

/**
 * Terraform's provider puts the secrets at the top of a configuration back where an answer masks them, but not those in
 * an object or list, and ends with "inconsistent result after apply" when such a value is not what it sent. So the answer
 * to its own request has these as they were sent; every other answer masks them.
 */
export function withSentSecrets<Answer extends { configuration: Json }>(
  request: FastifyRequest,
  answer: Answer,
): Answer {
  if (!request.headers['user-agent']?.includes('polytomic-terraform-provider')) return answer;
  const { configuration: sent } = request.body as { configuration: Json };
  const { configuration: shown } = answer;
  if (!isJsonObject(sent) || !isJsonObject(shown)) return answer;
  const inside = ([key, value]: [string, Json]) => [key, value === mask ? mask : asSent(value, sent[key])];
  return { ...answer, configuration: Object.fromEntries(Object.entries(shown).map(inside)) };
}

function asSent(shown: Json, sent: Json | undefined): Json {
  if (shown === mask && typeof sent === 'string') return sent;
  if (Array.isArray(shown) && Array.isArray(sent))
    return shown.map((item, index) => asSent(item, sent[index]));
  if (!isJsonObject(shown) || !isJsonObject(sent)) return shown;
  return Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, asSent(value, sent[key])]));
}
