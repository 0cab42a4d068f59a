import { setTimeout as delay } from 'node:timers/promises';
import { type Egress, EgressError } from '../../egress/index.ts';
import { messageOf, notFound, TidemarkError } from '../../errors.ts';
import { jsonText } from '../../lib/pg-text.ts';
import type {
  ModelDestination,
  ModelWriter,
  OutgoingRecord,
  TargetDefinition,
  TargetField,
} from '../contract.ts';
import type { Configuration } from './configuration.ts';
import { requestTarget } from './request.ts';

const objectId = 'http';

/** Every mapping ends here: the record's fields are named after the source's. */
const record: TargetField = {
  id: 'record',
  name: 'Record',
  type: 'object',
  remoteType: 'object',
  nullable: true,
  required: false,
  createable: true,
  updateable: true,
  filterable: false,
  supportsIdentity: true,
};

/** Milliseconds for one request. */
const deadline = 60_000;
/** Milliseconds before the second and third try of a request that met a passing failure. */
const waits = [500, 2_000];
/** The longest that a Retry-After is honoured inside an execution, in milliseconds. */
const longestWait = 30_000;

interface Context {
  egress: Egress;
  signal?: AbortSignal;
}

export function modelDestination(configuration: Configuration, context: Context): ModelDestination {
  return {
    objects: async () => [{ id: objectId, name: 'HTTP request', modes: ['updateOrCreate'] }],
    async fields(object) {
      if (object !== objectId) throw notFound('target object', object);
      return [record];
    },
    writer: async (definition) => writer(requestTarget(configuration), definition, context),
  };
}

function writer(
  target: ReturnType<typeof requestTarget>,
  definition: TargetDefinition,
  context: Context,
): ModelWriter {
  const names = definition.fields.map(({ source }) => fieldName(source.name));
  const { metadata } = definition.configuration;
  return {
    batchSize: batchSize(definition),
    async write(records) {
      const list = records.map((one) => recordJson(one, names, definition)).join(',');
      const { id, name } = definition.sync;
      const extra = metadata == null ? '' : `,"metadata":${JSON.stringify(metadata)}`;
      const object = `{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)}${extra},"records":[${list}]}`;
      await post(target, `{"event":"sync.records","object":${object}}`, context);
      return records.map(() => ({ status: 'upserted' }));
    },
  };
}

/** Sends a batch until it is taken. The receiver may see it twice; the hashes say that it is the same. */
async function post(target: ReturnType<typeof requestTarget>, body: string, { egress, signal }: Context) {
  for (let attempt = 0; ; attempt++) {
    const sent = await exchange(target, body, egress, signal);
    if (sent.failure === undefined) return;
    const wait = waits[attempt];
    if (!sent.passing || wait === undefined) throw new Error(sent.failure);
    await delay(Math.min(Math.max(wait, sent.retryAfter), longestWait), undefined, { signal });
  }
}

async function exchange(
  { url, headers }: ReturnType<typeof requestTarget>,
  body: string,
  egress: Egress,
  signal: AbortSignal | undefined,
): Promise<{ failure?: string; passing: boolean; retryAfter: number }> {
  try {
    const response = await egress.request({
      url,
      method: 'POST',
      headers: { ...headers, 'Polytomic-Signature-Timestamp': new Date().toISOString() },
      body,
      deadline,
      ...(signal === undefined ? {} : { signal }),
    });
    const { status } = response;
    if (status >= 200 && status < 300) return { passing: false, retryAfter: 0 };
    const said = response.body.subarray(0, 500).toString('utf8').trim();
    const seconds = Number(response.headers['retry-after'] ?? 0);
    return {
      failure: `the webhook answered ${status}${said === '' ? '' : `: ${said}`}`,
      passing: status === 408 || status === 429 || status >= 500,
      retryAfter: Number.isFinite(seconds) ? seconds * 1000 : 0,
    };
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const passing = error.failure !== 'refused_address' && error.failure !== 'invalid_url';
    return { failure: messageOf(error), passing, retryAfter: 0 };
  }
}

function recordJson({ hash, values }: OutgoingRecord, names: string[], definition: TargetDefinition): string {
  const fields = definition.fields.map(
    ({ source }, index) => `${JSON.stringify(names[index])}:${jsonText(values[index] ?? null, source)}`,
  );
  return `{"hash":"${BigInt.asUintN(64, BigInt(hash)).toString(16).padStart(16, '0')}","fields":{${fields.join(',')}}}`;
}

/** `$first_name` → `first_name`: letters, digits and _ are what every receiver can name a field. */
function fieldName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_]/gu, '') || name;
}

function batchSize({ configuration }: TargetDefinition): number {
  const size = configuration.batch_size ?? 100;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 10_000) {
    throw new TidemarkError('invalid_field', {
      field: 'target.configuration.batch_size',
      reason: 'takes a whole number from 1 to 10000',
    });
  }
  return size;
}
