/** Seconds after which a stop that hangs is broken off. */
const patience = 10;

/**
 * Resolves at the first SIGINT or SIGTERM. From then on a second one, or a stop that takes longer than ten
 * seconds, ends the process on the spot: whatever was not drained is taken over by whoever starts next.
 */
export function untilSignal(signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const handle = () => {
      if (asked) process.exit(1);
      asked = true;
      setTimeout(() => process.exit(1), patience * 1000).unref();
      resolve();
    };
    for (const signal of signals) process.on(signal, handle);
  });
}
