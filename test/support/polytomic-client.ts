import { PolytomicClient } from 'polytomic';
import { createDatabase, type TestDatabase } from './database.ts';
import { postgresqlConfiguration } from './http.ts';
import { startTestServer, type TestServer } from './server.ts';

/** The official npm client, unmodified, against a running server, and two databases to connect. */
export interface ClientWorld extends AsyncDisposable {
  server: TestServer;
  client: PolytomicClient;
  source: TestDatabase;
  target: TestDatabase;
  /** Returns the id of a connection to a database. */
  connection(name: string, database: TestDatabase): Promise<string>;
}

export async function startClientWorld(): Promise<ClientWorld> {
  const [metadata, source, target] = [await createDatabase(), await createDatabase(), await createDatabase()];
  const server = await startTestServer({
    DATABASE_URL: metadata.url,
    TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
  });
  const client = new PolytomicClient({ environment: server.url, token: server.apiKey });
  return {
    server,
    client,
    source,
    target,
    async connection(name, { url }) {
      const configuration = postgresqlConfiguration(url);
      const created = await client.connections.create({ name, type: 'postgresql', configuration });
      return created.data?.id ?? '';
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      for (const database of [metadata, source, target]) await database[Symbol.asyncDispose]();
    },
  };
}
