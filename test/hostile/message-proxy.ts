import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FrameSplitter, type Framing } from './frames.ts';
import { type Mutated, mutateFrame } from './mutate-frame.ts';
import { pour } from './pour.ts';

/** A server that answers with what another one says, until it is told to say one of its messages otherwise. */
export interface HostileServer extends AsyncDisposable {
  port: number;
  /**
   * Has the n-th message from now on, counted from 0 over all connections, mutated; no other. Breaks what was open.
   *
   * @param onDone is called when it has come to that.
   */
  arm(at: number, dice: () => number, onDone?: () => void): void;
  /** Messages since it was armed, and what was done to one of them. */
  seen(): { messages: number; done: string | undefined };
}

/** @param to the port of a real server on this machine. */
export async function messageProxy(to: number, framing: Framing): Promise<HostileServer> {
  let messages = 0;
  let target = -1;
  let dice = Math.random;
  let done: string | undefined;
  let onDone = () => {};
  const open = new Set<Socket>();

  const serve = (client: Socket) => {
    const real = connect(to, '127.0.0.1');
    const frames = new FrameSplitter(framing);
    let held: Buffer | undefined;
    let isMute = false;
    /** By how much numbers of this answer are others than the real server's. */
    let shift = 0;
    const numbered = (frame: Buffer, by: number) => {
      const { sequenceAt } = framing;
      if (sequenceAt === undefined || sequenceAt >= frame.length) return frame;
      const other = Buffer.from(frame);
      other[sequenceAt] = ((frame[sequenceAt] as number) + by) & 0xff;
      return other;
    };
    const say = (frame: Buffer) => {
      if (messages++ !== target) {
        client.write(numbered(frame, shift));
        if (held !== undefined) client.write(held);
        held = undefined;
        return;
      }
      const first = frame[framing.kindAt];
      const original = Buffer.from(frame);
      const mutated: Mutated = mutateFrame(framing, frame, dice);
      done = `${mutated.name} of message ${target}, type ${first}`;
      // A number out of turn is all that there is to be seen of what has one.
      const isNumbered = framing.sequenceAt !== undefined && dice() < 0.9;
      const sequence = original[framing.sequenceAt ?? 0] as number;
      for (const [index, one] of mutated.frames.entries()) {
        const own = one[framing.sequenceAt ?? 0] ?? 0;
        client.write(isNumbered ? numbered(one, sequence - own + index) : one);
      }
      if (isNumbered) shift = mutated.frames.length - 1;
      onDone();
      isMute = mutated.after === 'mute' || mutated.after === 'endless';
      if (mutated.after === 'later') held = original;
      if (mutated.after === 'close') client.end();
      if (mutated.after === 'endless') pour(client, original);
    };
    real.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) if (!isMute) say(frame);
    });
    client.on('data', (chunk: Buffer) => {
      shift = 0;
      real.write(chunk);
    });
    for (const [socket, other] of [
      [client, real],
      [real, client],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        open.delete(socket);
        if (socket === client || !isMute) other.destroy();
      });
    }
  };

  const server = createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    arm(at, next, tell = () => {}) {
      breakAll();
      [messages, target, dice, done, onDone] = [0, at, next, undefined, tell];
    },
    seen: () => ({ messages, done }),
    async [Symbol.asyncDispose]() {
      server.close();
      breakAll();
    },
  };
}
