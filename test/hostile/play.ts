import path from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { ProcessDied, ProcessPool } from '../../src/isolation/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { random } from '../support/random.ts';
import { inherited } from '../support/server.ts';
import type { HostileServer } from './message-proxy.ts';
import type { VisitEnd, VisitInput } from './visit.fixture.ts';
import type { Place, VisitName } from './visits.ts';

/** A server that misbehaves once when it is told to, and what there is to do at it. */
export interface HostileSystem extends Pick<HostileServer, 'arm' | 'seen'> {
  connector: string;
  configuration: JsonObject;
  place: Place;
  visits: readonly VisitName[];
}

/** What came of a mutation. */
export interface Played {
  seed: number;
  /** For people: the connector, the visit, what was done to which message. */
  story: string;
  /** `died`: with its process, at the limit of memory. `broken`: what must not happen. */
  outcome: 'succeeded' | 'failed' | 'canceled' | 'died' | 'broken';
  reason: string;
}

/** Milliseconds from a mutation until what it was done to is canceled, and how long that may then take to its end. */
const limit = 250;
const grace = 40_000;

export const memoryMb = 320;

export function visitors(places: number): ProcessPool {
  return new ProcessPool({
    program: path.join(import.meta.dirname, 'visit.fixture.ts'),
    environment: inherited(),
    memoryMb,
    // More than a busy machine takes to store what was compiled, which the first visit is followed by.
    silenceSeconds: 30,
    places,
    placesPerOwner: 1,
    keptFor: 60_000,
  });
}

/** Plays seeds at one system, one after the other in one process: another one takes over from one that died. */
export class Lane {
  readonly #pool: ProcessPool;
  readonly #name: string;
  readonly #systems: readonly HostileSystem[];
  /** Things that are said in a visit where nothing is changed. */
  readonly #lengths = new Map<string, number>();

  /** @param systems of one target. */
  constructor(pool: ProcessPool, name: string, systems: readonly HostileSystem[]) {
    this.#pool = pool;
    this.#name = name;
    this.#systems = systems;
  }

  async play(seed: number): Promise<Played> {
    const dice = random(seed);
    const pick = <Thing>(list: readonly Thing[]) => list[Math.floor(dice() * list.length)] as Thing;
    const system = pick(this.#systems);
    const visit = pick(system.visits);
    const length = await this.#length(system, visit);
    const { outcome, reason } = await this.visit(system, visit, Math.floor(dice() * length), dice);
    const story = `${system.connector} ${visit}: ${system.seen().done ?? 'nothing was said'}`;
    return { seed, story, outcome, reason };
  }

  /** @throws when the visit fails by itself. */
  async #length(system: HostileSystem, visit: VisitName): Promise<number> {
    const name = `${system.connector} ${visit}`;
    const known = this.#lengths.get(name);
    if (known !== undefined) return known;
    // The second finds what the first has made.
    for (let left = 2; left > 0; left--) {
      const { outcome, reason } = await this.visit(system, visit);
      if (outcome !== 'succeeded') throw new Error(`${name} by itself: ${reason}`);
    }
    const { messages } = system.seen();
    this.#lengths.set(name, messages);
    return messages;
  }

  /** @param at which of the things that are said is changed: none for -1. */
  async visit(
    system: HostileSystem,
    visit: VisitName,
    at = -1,
    dice = Math.random,
  ): Promise<Pick<Played, 'outcome' | 'reason'>> {
    const { connector, configuration, place } = system;
    const timers: NodeJS.Timeout[] = [];
    system.arm(at, dice, () => {
      timers.push(setTimeout(() => task.steer('cancel'), limit));
      timers.push(
        setTimeout(
          () => task.kill(`it had not ended ${grace / 1000} s after it was canceled`),
          limit + grace,
        ),
      );
    });
    const input: VisitInput = { connector, configuration, place, visit };
    const task = this.#pool.give(this.#name, 'visit', input);
    try {
      const { failed, canceled } = (await task.result) as VisitEnd;
      if (failed === undefined) return { outcome: 'succeeded', reason: '' };
      return { outcome: canceled ? 'canceled' : 'failed', reason: failed };
    } catch (error) {
      const isMemory = error instanceof ProcessDied && error.reason === 'memory';
      return { outcome: isMemory ? 'died' : 'broken', reason: messageOf(error) };
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }
}
