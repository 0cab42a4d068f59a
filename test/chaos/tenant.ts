import { call, connect, type Target } from '../support/http.ts';

export interface Tenant {
  organizationId: string;
  apiKey: string;
  syncIds: string[];
}

/** Per tenant: one that was interrupted waits for its worker to be given up, and the others go on meanwhile. */
const syncs = 8;

/** An organization with a webhook and bulk syncs, made through the public API. */
export async function createTenant(
  server: Target & { partnerKey: string },
  n: number,
  endpoint: string,
  source: string,
  destination: string,
): Promise<Tenant> {
  const partner = { url: server.url, apiKey: server.partnerKey };
  const { id } = await call<{ id: string }>(partner, 'POST', '/api/organizations', { name: `chaos ${n}` });
  const user = await call<{ id: string }>(partner, 'POST', `/api/organizations/${id}/users`, {
    email: `chaos-${n}@example.com`,
    role: 'admin',
  });
  const { value } = await call<{ value: string }>(
    partner,
    'POST',
    `/api/organizations/${id}/users/${user.id}/keys`,
    {},
  );
  const own = { url: server.url, apiKey: value };
  await call(own, 'POST', '/api/webhooks', { endpoint, secret: 'chaos' });
  const [from, to] = [await connect(own, 'source', source), await connect(own, 'destination', destination)];
  const syncIds: string[] = [];
  for (let index = 0; index < syncs; index++) {
    const name = `sync_${index}`;
    const sync = await call<{ id: string }>(own, 'POST', '/api/bulk/syncs', {
      name,
      mode: 'replicate',
      active: true,
      default_schedule: { frequency: 'manual' },
      source_connection_id: from.id,
      destination_connection_id: to.id,
      destination_configuration: { schema: `chaos_${n}_${name}` },
    });
    syncIds.push(sync.id);
  }
  return { organizationId: id, apiKey: value, syncIds };
}
