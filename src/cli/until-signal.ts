/** Milliseconds after which a stop that hangs is broken off. */
const patience = 9500;
/** npm passes on the Ctrl-C that its child has had from the terminal; no human is that quick (ms). */
const echo = 500;

/**
 * Resolves at the first SIGINT or SIGTERM. From then on a second one, or a stop that takes longer than ten
 * seconds, ends the process on the spot: whatever was not drained is taken over by whoever starts next.
 */
export function untilSignal(signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const handle = () => {
      const now = performance.now();
      if (asked !== undefined && now - asked > echo) process.exit(1);
      if (asked !== undefined) return;
      asked = now;
      limitStop();
      resolve();
    };
    for (const signal of signals) process.on(signal, handle);
  });
}

/** Ends the process if its stop, which begins now, hangs. */
export function limitStop(): void {
  setTimeout(() => process.exit(1), patience).unref();
}
