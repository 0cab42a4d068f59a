import { listen } from '../db/index.ts';
import { eventChannel } from './channel.ts';

/** Tells readers in this process that an organization may have new events. What they are is in the log. */
export interface EventFeed {
  /** From now on nothing is missed: a wake-up that comes while nobody waits is kept for the next `wait`. */
  subscribe(organizationId: string): EventSubscription;
  stop(): Promise<void>;
}

export interface EventSubscription extends Disposable {
  /** Resolves at a wake-up, after `timeout` milliseconds, or when the signal aborts. */
  wait(timeout: number, signal: AbortSignal): Promise<void>;
}

/** One connection listens for everybody. When it was lost, everybody is woken: something may have happened. */
export async function startEventFeed(databaseUrl: string): Promise<EventFeed> {
  const wakers = new Map<string, Set<() => void>>();
  const wake = (organizationId: string) => {
    for (const waker of wakers.get(organizationId) ?? []) waker();
  };
  const listener = await listen(databaseUrl, { [eventChannel]: wake }, () => {
    for (const organizationId of wakers.keys()) wake(organizationId);
  });
  return {
    subscribe(organizationId) {
      let woken = false;
      let resume = () => {};
      const waker = () => {
        woken = true;
        resume();
      };
      const others = wakers.get(organizationId) ?? new Set();
      wakers.set(organizationId, others.add(waker));
      return {
        async wait(timeout, signal) {
          if (!woken && !signal.aborted) {
            const { promise, resolve } = Promise.withResolvers<void>();
            resume = resolve;
            const timer = setTimeout(resolve, timeout);
            // Taken off again: a reader waits many times on one signal.
            signal.addEventListener('abort', resume);
            await promise;
            clearTimeout(timer);
            signal.removeEventListener('abort', resume);
          }
          resume = () => {};
          woken = false;
        },
        [Symbol.dispose]() {
          others.delete(waker);
          if (others.size === 0 && wakers.get(organizationId) === others) wakers.delete(organizationId);
        },
      };
    },
    stop: () => listener.stop(),
  };
}
