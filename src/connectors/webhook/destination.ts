import { type Egress, EgressError } from '../../egress/index.ts';
import { invalidField, notFound, TidemarkError } from '../../errors.ts';
import { ByteWriter } from '../../lib/byte-writer.ts';
import type { JsonObject } from '../../lib/json.ts';
import { recordJson } from '../../lib/pg-text.ts';
import {
  BatchRefused,
  Busy,
  type Field,
  type ModelDestination,
  type ModelWriter,
  type OutgoingRecord,
  type RecordObjects,
  type RecordResult,
  type TargetDefinition,
  Unreachable,
} from '../contract.ts';
import { Bearer } from '../http-auth/index.ts';
import { passing } from '../passing-answer.ts';
import { recordField } from '../record-field.ts';
import { bodyWriter } from './body.ts';
import type { Configuration } from './configuration.ts';
import { recordErrors } from './record-errors.ts';
import { type RequestTarget, requestTarget } from './request.ts';

const objectId = 'http';

/** Milliseconds for one request. */
const deadline = 60_000;

/** Answers that may find fault with the request whatever it contains: its address, method, sender or protocol. */
const ofEndpoint = new Set([401, 403, 404, 405, 407, 410, 421, 426, 431, 451]);

const upserted: RecordResult = { status: 'upserted' };

interface Context {
  egress: Egress;
  signal?: AbortSignal;
}

export function modelDestination(configuration: Configuration, context: Context): ModelDestination {
  return {
    objects: async () => [{ id: objectId, name: 'HTTP request', modes: ['updateOrCreate'] }],
    async fields(object) {
      if (object !== objectId) throw notFound('target object', object);
      return [recordField];
    },
    check(_object, target, names) {
      batchSize(target);
      concurrency(target);
      checkNames(names);
    },
    writer: async (definition) => writer(requestTarget(configuration), definition, context),
  };
}

function writer(target: RequestTarget, definition: TargetDefinition, context: Context): ModelWriter {
  const named = definition.fields.map(({ source }) => ({ ...source, name: fieldName(source.name) }));
  const bearer = new Bearer(target.oauth, context.egress, context.signal);
  const objects: Required<ModelWriter>['objects'] = {
    names: named.map(({ name }) => name),
    write: bodyWriter(definition),
    async send(body, count) {
      const errors = await post(target, bearer, body, count, context);
      if (errors.size === 0) return Array(count).fill(upserted);
      return Array.from({ length: count }, (_, place): RecordResult => {
        const reason = errors.get(place);
        return reason === undefined ? upserted : { status: 'refused', reason };
      });
    },
  };
  return {
    batchSize: batchSize(definition.configuration),
    atATime: concurrency(definition.configuration),
    objects,
    write(records) {
      const out = new ByteWriter(0);
      objects.write(objectsOf(records, named), out);
      return objects.send(out.written(), records.length);
    },
  };
}

function objectsOf(records: readonly OutgoingRecord[], named: readonly Field[]): RecordObjects {
  const hashes = Buffer.alloc(8 * records.length);
  for (const [index, { hash }] of records.entries()) hashes.writeBigInt64BE(BigInt(hash), 8 * index);
  const write = (index: number, out: ByteWriter) => out.text(recordJson(named, records[index]?.values ?? []));
  return { length: records.length, write, hashes };
}

/**
 * Sends a batch. When the answer is lost the receiver may see it twice; the hashes say that it is the same.
 *
 * @returns by place what the receiver says of records that it has not taken.
 */
async function post(
  { url, headers }: RequestTarget,
  bearer: Bearer,
  body: Buffer,
  count: number,
  { egress, signal }: Context,
): Promise<Map<number, string>> {
  const { status, ...answer } = await bearer
    .send((authorization) =>
      egress.request({
        url,
        method: 'POST',
        headers: {
          ...headers,
          ...authorization,
          'Polytomic-Signature-Timestamp': new Date().toISOString(),
        },
        body,
        deadline,
        ...(signal === undefined ? {} : { signal }),
      }),
    )
    .catch((error: unknown) => {
      if (!(error instanceof EgressError)) throw error;
      if (/^(refused_address|invalid_url)$/.test(error.failure)) {
        throw new TidemarkError('unprocessable', { reason: error.message }, { cause: error });
      }
      if (/^(connect|dns|tls)$/.test(error.failure)) throw new Unreachable(error.message, { cause: error });
      throw error;
    });
  if (status >= 200 && status < 300) return recordErrors(answer.body, count);
  const said = answer.body.subarray(0, 500).toString('utf8').trim();
  const reason = `the webhook answered ${status}${said === '' ? '' : `: ${said}`}`;
  const later = passing({ status, headers: answer.headers });
  if (later !== undefined) throw later.busy ? new Busy(reason, later.pause) : new Error(reason);
  const [place, other] = recordErrors(answer.body, count).keys();
  const isKnown = place !== undefined;
  throw new BatchRefused(reason, {
    kind: `answered ${status}`,
    unsure: !isKnown && (status < 400 || ofEndpoint.has(status)),
    place: other === undefined ? place : undefined,
  });
}

/** `$first_name` → `first_name`: letters, digits and _ are what every receiver can name a field. */
function fieldName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_]/gu, '') || name;
}

/** Of two members with one name a receiver would see the last. */
function checkNames(names: readonly string[]): void {
  for (const [name, [one, other]] of Map.groupBy(names, fieldName)) {
    if (other === undefined) continue;
    const reason = `${JSON.stringify(one)} and ${JSON.stringify(other)} are both sent as ${name}: give one another name in the model’s query`;
    throw invalidField('fields', reason);
  }
}

const batchSize = (target: JsonObject) => numberOf(target, 'batch_size', 100, 10_000);
const concurrency = (target: JsonObject) => numberOf(target, 'concurrency', 4, 16);

function numberOf(target: JsonObject, name: string, usual: number, most: number): number {
  const number = target[name] ?? usual;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new TidemarkError('invalid_field', {
    field: `target.configuration.${name}`,
    reason: `takes a whole number from 1 to ${most}`,
  });
}
