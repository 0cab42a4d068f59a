/**
 * A process as those that look at systems of users and run executions: it opens a connector and does one thing with it. Whatever
 * its parent says cancels it.
 */
import { findConnector } from '../../src/connectors/registry.ts';
import { createEgress } from '../../src/egress/index.ts';
import { messageOf } from '../../src/errors.ts';
import { serveTasks } from '../../src/isolation/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { type Place, type VisitName, visits } from './visits.ts';

export interface VisitInput {
  connector: string;
  configuration: JsonObject;
  place: Place;
  visit: VisitName;
}

/** `failed`: why. */
export interface VisitEnd {
  failed?: string;
  canceled: boolean;
}

const egress = createEgress({ allow: ['127.0.0.0/8'] });

serveTasks({
  async visit({ connector, configuration, place, visit }: VisitInput, { listen }): Promise<VisitEnd> {
    const ended = new AbortController();
    listen(() => ended.abort(new Error('it was canceled')));
    const session = findConnector(connector)?.open(configuration, { egress, signal: ended.signal });
    if (session === undefined) throw new Error(`there is no connector ${connector}`);
    const end = await visits[visit](session, place).then(
      () => ({}),
      (error: unknown) => ({ failed: messageOf(error) }),
    );
    await session.close();
    return { ...end, canceled: ended.signal.aborted };
  },
});
