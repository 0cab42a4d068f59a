/** Milliseconds until work that failed is tried again. */
const pause = 500;

/**
 * Runs one thing at a time, again as often as it was requested meanwhile: many requests become one round. A
 * round that throws is repeated after a pause.
 */
export class Turns {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  request(): void {
    if (this.#running !== undefined) this.#again = true;
    else
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        if (this.#again) this.request();
      });
  }

  /** Resolves when no round is running. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    this.#again = false;
    try {
      await this.#work();
    } catch (error) {
      this.#failed(error);
      await new Promise((resolve) => setTimeout(resolve, pause));
      this.#again = true;
    }
  }
}
