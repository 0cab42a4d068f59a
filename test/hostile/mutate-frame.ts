import type { Framing } from './frames.ts';

/** What is sent in place of a frame, and what becomes of the connection. */
export interface Mutated {
  /** What was done, for people. */
  name: string;
  frames: Buffer[];
  /** Absent: what comes next is passed on. `later`: the frame itself, too, behind the next one. */
  after?: 'later' | 'close' | 'mute' | 'endless';
}

type Dice = () => number;

const upTo = (dice: Dice, most: number) => Math.floor(dice() * (most + 1));
const one = <Thing>(dice: Dice, list: readonly Thing[]) => list[upTo(dice, list.length - 1)] as Thing;

/** A frame's header with another body, and a length that fits it. */
function withBody(framing: Framing, frame: Buffer, ...parts: Buffer[]): Buffer {
  const other = Buffer.concat([frame.subarray(0, framing.headerLength), ...parts]);
  framing.setLength(other, other.length - framing.headerLength);
  return other;
}

type Mutation = (framing: Framing, frame: Buffer, dice: Dice) => Omit<Mutated, 'name'>;

const randomBytes = (dice: Dice, length: number) =>
  Buffer.from(Array.from({ length }, () => upTo(dice, 255)));

const mutations: Record<string, Mutation> = {
  truncate(framing, frame, dice) {
    const body = frame.subarray(framing.headerLength);
    return { frames: [withBody(framing, frame, body.subarray(0, upTo(dice, Math.max(0, body.length - 1))))] };
  },
  lengthen(framing, frame, dice) {
    const body = frame.subarray(framing.headerLength);
    const at = one(dice, [0, upTo(dice, body.length), body.length]);
    const more = randomBytes(dice, 1 + upTo(dice, 40));
    return { frames: [withBody(framing, frame, body.subarray(0, at), more, body.subarray(at))] };
  },
  cut: (_framing, frame, dice) => ({
    frames: [frame.subarray(0, upTo(dice, frame.length - 1))],
    after: 'close',
  }),
  lie(framing, frame, dice) {
    framing.setLength(frame, one(dice, [...framing.absurdLengths, upTo(dice, 2 * frame.length)]));
    return { frames: [frame] };
  },
  repeat: (_framing, frame, dice) => ({ frames: Array(2 + upTo(dice, 40)).fill(frame) }),
  reorder: () => ({ frames: [], after: 'later' }),
  flip(framing, frame, dice) {
    for (let left = 1 + upTo(dice, 7); left > 0 && frame.length > framing.headerLength; left--) {
      const at = framing.headerLength + upTo(dice, frame.length - framing.headerLength - 1);
      frame[at] = (frame[at] as number) ^ (1 << upTo(dice, 7));
    }
    return { frames: [frame] };
  },
  overwrite(framing, frame, dice) {
    const at = framing.headerLength + upTo(dice, Math.max(0, frame.length - framing.headerLength - 1));
    frame.fill(
      one(dice, [0, 0x7f, 0xfb, 0xfc, 0xfd, 0xfe, 0xff]),
      at,
      Math.min(frame.length, at + 1 + upTo(dice, 9)),
    );
    return { frames: [frame] };
  },
  kind(framing, frame, dice) {
    if (frame.length > framing.kindAt) frame[framing.kindAt] = one(dice, framing.kinds);
    return { frames: [frame] };
  },
  stranger(framing, frame, dice) {
    const stranger = one(dice, framing.strangers);
    return { frames: one(dice, [[stranger], [stranger, frame], [frame, stranger]]) };
  },
  drop: () => ({ frames: [] }),
  mute: (_framing, frame, dice) => ({ frames: [frame.subarray(0, upTo(dice, frame.length))], after: 'mute' }),
  endless: (_framing, frame) => ({ frames: [frame], after: 'endless' }),
};

const names = Object.keys(mutations);
/** They cost the time of a deadline each, and are alike. */
const rare = new Set(['drop', 'mute', 'endless']);

export function mutateFrame(framing: Framing, frame: Buffer, dice: Dice): Mutated {
  let name = one(dice, names);
  if (rare.has(name) && dice() < 0.7) name = one(dice, names);
  return { name, ...mutations[name]?.(framing, frame, dice) } as Mutated;
}
