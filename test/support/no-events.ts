import type { EventFeed, EventLog } from '../../src/events/index.ts';

const none = () => {
  throw new Error('this API was built without events');
};

/** For an API under test whose events nobody reads. */
export const noEvents: { eventFeed: EventFeed; eventLog: EventLog } = {
  eventFeed: { subscribe: none, stop: async () => {} },
  eventLog: { list: none, find: none, end: none, isBehind: none, close: async () => {} },
};
