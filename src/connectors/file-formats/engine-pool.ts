import { type Engine, openEngine } from '../duckdb-engine/index.ts';

/** Engines that are free stay for the next one who needs one: each is a process. */
export class EnginePool {
  readonly #folder: (() => Promise<string>) | undefined;
  readonly #signal: AbortSignal;
  readonly #idle: Engine[] = [];

  /** @param folder whose files they may read. */
  constructor(signal: AbortSignal, folder?: () => Promise<string>) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Who takes one gives it back when it has nothing to do, or closes it. */
  async take(): Promise<Engine> {
    const folders = this.#folder === undefined ? [] : [await this.#folder()];
    return this.#idle.pop() ?? openEngine({ folders, canGrow: true, signal: this.#signal });
  }

  give(engine: Engine): void {
    this.#idle.push(engine);
  }

  /** Lends one for as long as a generator runs; one that it left in the middle of something is ended. */
  async *lend<Item>(use: (engine: Engine) => AsyncGenerator<Item>): AsyncGenerator<Item> {
    const engine = await this.take();
    let whole = false;
    try {
      yield* use(engine);
      whole = true;
    } finally {
      if (whole) this.give(engine);
      else await engine.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((engine) => engine.close()));
  }
}
