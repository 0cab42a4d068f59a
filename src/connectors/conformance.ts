/**
 * What every connector must do, as tests. A connector's own test file calls `describeConnector` with a harness
 * that makes it a fresh system to talk to; fix a connector's bug by adding the case that would have caught it.
 */
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEgress, type Egress } from '../egress/index.ts';
import { destinationTests } from './conformance-destination.ts';
import type { Claims, ConnectorHarness } from './conformance-harness.ts';
import { sourceTests } from './conformance-source.ts';
import type { Connector, ConnectorContext, Session } from './contract.ts';

export { type ConnectorHarness, records } from './conformance-harness.ts';

export function describeConnector(
  connector: Connector,
  claims: Claims,
  prepare: () => Promise<ConnectorHarness>,
): void {
  describe(`${connector.id} keeps the connector contract`, () => {
    let harness: ConnectorHarness;
    let egress: Egress;
    let context: ConnectorContext;
    let session: Session;

    beforeAll(async () => {
      harness = await prepare();
      egress = createEgress({ allow: ['127.0.0.0/8'] });
      context = { egress, ...(harness.folder === undefined ? {} : { folder: harness.folder }) };
      session = connector.open(harness.configuration, context);
    });
    afterAll(async () => {
      await session.close();
      await egress.close();
      await harness.close();
    });

    test('its configuration is described as data', () => {
      const { configuration } = harness;
      expect(connector.id).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(Value.Check(connector.configuration, configuration)).toBe(true);
      expect(Value.Check(connector.configuration, {})).toBe(false);
      const { properties } = connector.configuration;
      for (const [key, property] of Object.entries(properties)) {
        const secret =
          /password|secret$|private_key|_key$|client_cert/.test(key) && !/client_certs/.test(key);
        if (secret) expect((property as { sensitive?: boolean }).sensitive, key).toBe(true);
      }
    });

    test('its parts are what its capabilities say', () => {
      const { capabilities } = connector;
      expect(session.modelSource !== undefined || session.bulkSource !== undefined).toBe(capabilities.source);
      const writes = session.modelDestination !== undefined || session.bulkDestination !== undefined;
      expect(writes).toBe(capabilities.destination);
    });

    test('test() succeeds for what works, and says in words what does not', async () => {
      await session.test();
      if (harness.broken === undefined) return;
      const broken = connector.open(harness.broken, context);
      await expect(broken.test()).rejects.toThrow(/\w+ \w+/);
      await broken.close();
    });

    test('a closed session can be closed again', async () => {
      const other = connector.open(harness.configuration, context);
      await other.close();
      await other.close();
    });

    if (claims.source) sourceTests(() => ({ harness, session }));
    if (claims.modes.length > 0) destinationTests(() => ({ harness, session }), claims);
  });
}
