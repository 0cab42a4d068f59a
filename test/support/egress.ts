import { createEgress } from '../../src/egress/index.ts';

/** What the databases of tests are reached by. */
export const loopback = createEgress({ allow: ['127.0.0.0/8', '::1/128'] });
