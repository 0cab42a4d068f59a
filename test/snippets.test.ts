/** Runs the programs of docs/webhooks.md and docs/model-syncs.md as their readers would. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sampleEvent } from '../src/events/index.ts';
import { jweEncrypter } from '../src/lib/jwe.ts';
import { deliveryBody, sign, signingKey } from '../src/webhooks/index.ts';
import { until } from './support/until.ts';

const secret = 'the secret of the page';
const pageOf = (name: string) => readFileSync(path.join(import.meta.dirname, '../docs', name), 'utf8');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tidemark-snippets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const body = Buffer.from(deliveryBody('sync.failed', JSON.stringify(sampleEvent('sync.failed'))));
const signed = (with_: string) => ({ ...sign([signingKey(with_)], body, 'evt_1', Date.now()) });

function snippet(language: string, name: string, page = 'webhooks.md'): string {
  const [, code = ''] = pageOf(page).match(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``)) ?? [];
  const file = path.join(folder, name);
  writeFileSync(file, code);
  return file;
}

function present(command: string, ...args: string[]): boolean {
  const there = spawnSync(command, args).status === 0;
  if (there) return true;
  // On the machine that decides about a change nothing may be left out.
  if (process.env.TIDEMARK_TEST_SNIPPETS === 'required') throw new Error(`${command} is missing`);
  console.warn(`${[command, ...args].join(' ')} fails: a program of the docs is NOT verified by this run`);
  return false;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a receiver, sends it a genuine, a forged and an altered request. */
async function statuses(command: string, args: string[], cwd = folder): Promise<number[]> {
  const port = await freePort();
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      PORT: String(port),
      WEBHOOK_SECRET: secret,
      HOME: folder,
      GOCACHE: path.join(folder, 'go'),
    },
    stdio: 'ignore',
    detached: true,
  });
  try {
    const post = async (headers: Record<string, string>, content: Buffer) =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: content })).status;
    await until(
      () => fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' }).then(Boolean, () => false),
      60_000,
    );
    return [
      await post(signed(secret), body),
      await post(signed('forged'), body),
      await post(signed(secret), Buffer.concat([body, Buffer.from(' ')])),
    ];
  } finally {
    // With its group: `go run` starts the program as a child of its own.
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }
}

describe('the receivers of docs/webhooks.md accept what is genuine and refuse the rest', () => {
  test('Node', async () => {
    const modules = path.join(folder, 'node_modules');
    execFileSync('mkdir', ['-p', modules]);
    symlinkSync(path.join(import.meta.dirname, '..'), path.join(modules, 'tidemark'));
    expect(await statuses(process.execPath, [snippet('js', 'receiver.mjs')])).toEqual([200, 400, 400]);
  });

  test.skipIf(!present('python3', '--version'))('Python', async () => {
    expect(await statuses('python3', [snippet('python', 'receiver.py')])).toEqual([200, 400, 400]);
  });

  test.skipIf(!present('go', 'version'))('Go', async () => {
    const binary = path.join(folder, 'receiver');
    execFileSync('go', ['build', '-o', binary, snippet('go', 'receiver.go')], {
      env: { ...process.env, HOME: folder, GOCACHE: path.join(folder, 'go'), GO111MODULE: 'off' },
    });
    expect(await statuses(binary, [])).toEqual([200, 400, 400]);
  });

  test.skipIf(!present('ruby', '--version'))('Ruby', () => {
    const harness = `
      require "stringio"
      load ARGV.fetch(0)
      requests = JSON.parse(STDIN.read)
      STDERR.puts(requests.map { |r| Receiver.call("rack.input" => StringIO.new(r["body"]), "HTTP_POLYTOMIC_SIGNATURE" => r["signature"]).first }.to_json)`;
    const request = (headers: Record<string, string>, content: Buffer) => ({
      body: content.toString(),
      signature: headers['Polytomic-Signature'],
    });
    const input = JSON.stringify([
      request(signed(secret), body),
      request(signed('forged'), body),
      request(signed(secret), Buffer.concat([body, Buffer.from(' ')])),
    ]);
    const { stderr } = spawnSync('ruby', ['-e', harness, snippet('ruby', 'receiver.rb')], {
      input,
      env: { ...process.env, WEBHOOK_SECRET: secret },
      encoding: 'utf8',
    });
    expect(JSON.parse(stderr)).toEqual([200, 400, 400]);
  });
});

test.skipIf(!present('python3', '-c', 'import cryptography'))(
  'docs/model-syncs.md decrypts fields',
  async () => {
    const passphrase = 'correct horse battery stäple';
    const values = ['émile@example.com', '', '1980-02-29'];
    const encrypt = await jweEncrypter(passphrase, randomBytes(16));
    const { stdout, stderr } = spawnSync('python3', [snippet('python', 'decrypt.py', 'model-syncs.md')], {
      input: values.map((value, index) => `${encrypt(`${index}`, value)}\n`).join(''),
      env: { ...process.env, PASSPHRASE: passphrase, PYTHONUTF8: '1' },
      encoding: 'utf8',
    });
    expect([stderr, stdout]).toEqual(['', values.map((value) => `${value}\n`).join('')]);
  },
);
