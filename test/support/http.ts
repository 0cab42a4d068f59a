/** What the tests of whole servers need of the public API. */
export interface Target {
  url: string;
  apiKey: string;
}

/** @returns the answer's `data`. @throws with the answer when it is an error. */
export async function call<Data>(server: Target, method: string, path: string, body?: object): Promise<Data> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return (JSON.parse(text) as { data: Data }).data;
}

/** A postgresql connection to a database of the test. */
export function connect(server: Target, name: string, databaseUrl: string): Promise<{ id: string }> {
  const configuration = postgresqlConfiguration(databaseUrl);
  return call(server, 'POST', '/api/connections', { name, type: 'postgresql', configuration });
}

/** The configuration of a postgresql connection, from a URL. */
export function postgresqlConfiguration(databaseUrl: string) {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  return {
    hostname,
    port: Number(port),
    username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    ssl: false,
  };
}
