import type { EventFeed } from '../../src/events/index.ts';

/** For an API under test that nobody follows events of. */
export const noFeed: EventFeed = {
  subscribe() {
    throw new Error('this API was built without an event feed');
  },
  stop: async () => {},
};
