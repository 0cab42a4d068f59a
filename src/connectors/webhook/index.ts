import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { type Configuration, configuration, targetConfiguration } from './configuration.ts';
import { modelDestination } from './destination.ts';
import { requestTarget } from './request.ts';

/** Milliseconds without a byte. */
const idle = 10_000;

/** Model-sync records as HTTP requests; not to be confused with event webhooks. */
export const webhook: Connector = {
  id: 'webhook',
  name: 'Webhook',
  configuration,
  targetConfiguration,
  capabilities: { source: false, destination: true },
  address: { server: ['url', 'oauth.token_endpoint'], within: [] },
  open(settings: JsonObject, context): Session {
    const ended = new AbortController();
    const signal =
      context.signal === undefined ? ended.signal : AbortSignal.any([context.signal, ended.signal]);
    const configured = settings as unknown as Configuration;
    return {
      // Nothing is sent: an endpoint that takes records has no request that means nothing.
      test: async () => void requestTarget(configured),
      reach: async () => {
        const { url, headers } = requestTarget(configured);
        const { body, status } = await context.egress.stream({ url, method: 'HEAD', headers, idle, signal });
        body.destroy();
        // A method that it does not know says nothing; a caller that it does not let in, or its own failure, does.
        if (status === 401 || status === 403 || status >= 500) {
          throw new Error(`${new URL(url).host} answers ${status}`);
        }
      },
      modelDestination: modelDestination(configured, { egress: context.egress, signal }),
      close: async () => ended.abort(),
    };
  },
};
