import type { Client } from '../client.ts';

export interface DemoSyncs {
  shopConnection: string;
  contacts: string;
  records: string;
  bulk: string;
}

interface Made {
  id: string;
}

const contactFields = ['email', 'name', 'balance', 'tags', 'profile', 'joined'];

/** Creates everything the demo runs, through the public API and nothing else. */
export async function createSyncs(
  client: Client,
  urls: { shop: string; warehouse: string; receiver: string },
  secret: string,
): Promise<DemoSyncs> {
  await client.post('/api/webhooks', { endpoint: `${urls.receiver}/events`, secret });
  const shop = await connect(client, 'Shop', urls.shop);
  const warehouse = await connect(client, 'Warehouse', urls.warehouse);
  const hook = await client.post<Made>('/api/connections', {
    name: 'Custom webhook',
    type: 'webhook',
    configuration: {
      url: `${urls.receiver}/records`,
      auth_method: 'header',
      header: { name: 'x-key', value: 'demo' },
    },
  });
  const model = await client.post<Made>('/api/models', {
    name: 'Customers',
    connection_id: shop.id,
    configuration: { table: 'public.customers' },
    identifier: 'id',
  });
  const identity = (target: string) => ({
    identity: { source: { model_id: model.id, field: 'id' }, target, function: 'Equality' },
  });
  const manual = { schedule: { frequency: 'manual' }, active: true, mode: 'updateOrCreate' };
  const contacts = await client.post<Made>('/api/syncs', {
    ...manual,
    ...identity('customer_id'),
    name: 'Customers → crm.contacts',
    fields: contactFields.map((field) => ({ source: { model_id: model.id, field }, target: field })),
    target: { connection_id: warehouse.id, object: 'crm.contacts' },
  });
  const records = await client.post<Made>('/api/syncs', {
    ...manual,
    ...identity('record'),
    name: 'Customers → webhook',
    fields: ['id', 'email'].map((field) => ({ source: { model_id: model.id, field }, target: 'record' })),
    target: { connection_id: hook.id, object: 'http', configuration: { batch_size: 1000 } },
  });
  const bulk = await client.post<Made>('/api/bulk/syncs', {
    name: 'Shop → warehouse',
    mode: 'replicate',
    active: true,
    default_schedule: { frequency: 'manual' },
    source_connection_id: shop.id,
    destination_connection_id: warehouse.id,
    destination_configuration: { schema: 'warehouse' },
  });
  return { shopConnection: shop.id, contacts: contacts.id, records: records.id, bulk: bulk.id };
}

function connect(client: Client, name: string, url: string): Promise<Made> {
  const { hostname, port, username, password, pathname } = new URL(url);
  return client.post('/api/connections', {
    name,
    type: 'postgresql',
    configuration: {
      hostname,
      port: Number(port),
      username,
      password,
      database: pathname.slice(1),
      ssl: false,
    },
  });
}
