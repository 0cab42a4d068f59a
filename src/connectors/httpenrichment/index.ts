import type { JsonObject } from '../../lib/json.ts';
import type { Connector, Session } from '../contract.ts';
import { type Configuration, configuration } from './configuration.ts';
import { check, enricherConfiguration, enrichment } from './enrichment.ts';

/** Looks up more about a record by an HTTP request. */
export const httpenrichment: Connector = {
  id: 'httpenrichment',
  name: 'HTTP enrichment',
  configuration,
  enricherConfiguration,
  capabilities: { source: false, destination: false, enrichment: true },
  address: { server: ['url', 'healthcheck', 'auth.oauth.token_endpoint'], within: [] },
  open(settings: JsonObject, { egress, signal }): Session {
    const ended = new AbortController();
    const signals = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    const configured = settings as unknown as Configuration;
    const context = { egress, signal: signals };
    return {
      test: () => check(configured, context),
      enrichment: enrichment(configured, context),
      close: async () => ended.abort(),
    };
  },
};
