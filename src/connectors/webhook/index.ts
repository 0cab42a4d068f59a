import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { type Configuration, configuration } from './configuration.ts';
import { modelDestination } from './destination.ts';
import { requestTarget } from './request.ts';

/** Model-sync records as HTTP requests; not to be confused with event webhooks. */
export const webhook: Connector = {
  id: 'webhook',
  name: 'Webhook',
  configuration,
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
      modelDestination: modelDestination(configured, { egress: context.egress, signal }),
      close: async () => ended.abort(),
    };
  },
};
