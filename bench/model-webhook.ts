import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Measurement } from './model-child.ts';
import { median, print, startChild } from './support.ts';

/** A first sync, to be run. */
type FirstSync = (url: string) => Promise<Measurement>;

/**
 * First syncs to a webhook, beside bare undici loops in a process of their own that post the very bodies which the
 * receiver got from an earlier sync: one request at a time, and as many as the sync has under way.
 *
 * @param file for the bodies.
 */
export async function webhookRounds(
  firstSync: FirstSync,
  rows: number,
  repeat: number,
  file: string,
): Promise<void> {
  const { child: receiver, first } = await startChild<{ port: number }>('webhook-receiver-child.ts');
  const url = (path: string) => `http://127.0.0.1:${first.port}/${path}`;
  const syncs: Measurement[] = [];
  const bare = new Map<number, number[]>([1, 4].map((atATime) => [atATime, []]));
  try {
    receiver.send({ keep: file });
    await firstSync(url('keep'));
    await finishKeeping(receiver);
    await checkBodies(file, rows);
    for (let round = 0; round < repeat; round++) {
      syncs.push(await firstSync(url('hook')));
      for (const [atATime, list] of bare) list.push(await bareLoop(url('hook'), file, atATime));
    }
  } finally {
    receiver.disconnect();
  }
  const seconds = syncs.map((one) => one.seconds);
  const rates = (list: number[]) => list.map((one) => rows / one);
  print('first sync to a webhook', rates(seconds), 'records/s');
  const cpu = syncs.map((one) => (one.cpuSeconds * 1e6) / rows);
  print('', cpu, 'µs of own CPU per record', 2);
  for (const [atATime, list] of bare) {
    print(`bare undici, ${atATime} at a time`, rates(list), 'records/s');
    console.log(`ratio: ${(median(list) / median(seconds)).toFixed(2)}`);
  }
}

async function finishKeeping(receiver: ChildProcess): Promise<void> {
  const kept = once(receiver, 'message');
  receiver.send({ keep: '' });
  await kept;
}

/** @returns the seconds it took. */
async function bareLoop(url: string, file: string, atATime: number): Promise<number> {
  const { child, first } = await startChild<{ seconds: number }>('model-webhook-child.ts', {
    args: [url, file, String(atATime)],
  });
  child.disconnect();
  return first.seconds;
}

/** Every record has arrived, once, in bodies of 100. */
async function checkBodies(file: string, rows: number): Promise<void> {
  const ids = new Set<number>();
  let records = 0;
  for await (const body of bodiesOf(file)) {
    const { object } = JSON.parse(body.toString()) as { object: { records: { fields: { id: number } }[] } };
    records += object.records.length;
    for (const { fields } of object.records) ids.add(fields.id);
  }
  if (records !== rows || ids.size !== rows)
    throw new Error(`${records} records arrived, ${ids.size} different ones`);
}

/** Bodies that the receiver kept: four bytes of length before each. */
export async function* bodiesOf(file: string): AsyncGenerator<Buffer> {
  await using handle = await open(file);
  let rest = Buffer.alloc(0);
  for await (const chunk of handle.createReadStream({ highWaterMark: 4 * 1024 * 1024 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    while (at + 4 <= rest.length && at + 4 + rest.readUInt32BE(at) <= rest.length) {
      const end = at + 4 + rest.readUInt32BE(at);
      yield rest.subarray(at + 4, end);
      at = end;
    }
    rest = rest.subarray(at);
  }
}
