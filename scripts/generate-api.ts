/** Writes docs/api.md: every operation of the wire, and whether it is built. `--check` compares instead. */
import path from 'node:path';
import pino from 'pino';
import { type ApiDependencies, buildApp } from '../src/api/index.ts';
import { operations } from '../src/api/operations.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { writeOrCheck } from './write-or-check.ts';

const built = new Set<string>();
const shape = (method: string, url: string) => `${method} ${url.replaceAll(/:\w+/g, ':')}`;

// Routes are only registered, never called: nothing of the rest is touched.
const dependencies = { log: pino({ level: 'silent' }), keyRing: new KeyRing([Buffer.alloc(32)]) };
const app = buildApp(dependencies as ApiDependencies, (instance) => {
  instance.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) if (!config?.notBuilt) built.add(shape(one, url));
  });
});
await app.close();

const keys = {
  organization: 'user or organization',
  partner: 'partner',
  'partner of organization': 'partner',
  any: 'any',
  public: 'none',
};
const rows = operations.map(([method, url, operationId, access, addition]) => {
  const state = built.has(shape(method, url)) ? 'yes' : '501';
  const shown = url.replaceAll(/:(\w+)/g, '{$1}');
  return `| ${method} | \`${shown}\` | \`${operationId}\`${addition ? ' (+)' : ''} | ${keys[access]} | ${state} |`;
});
const count = rows.filter((row) => row.endsWith('| yes |')).length;

await writeOrCheck(
  path.join(import.meta.dirname, '../docs/api.md'),
  `# The API

Generated from \`src/api/operations.ts\`; do not edit.

Tidemark speaks Polytomic's public HTTP API, so [their documentation](https://apidocs.polytomic.com) describes the
shapes. Of the ${rows.length} operations ${count} are built; the others answer \`501 not_implemented\`.

- Send \`Authorization: Bearer <API key>\`. A partner sends its key the same way, or acts inside one organization
  with Basic \`<organization id>:<key>\`.
- \`X-Polytomic-Version\` is echoed. Known: 2021-05-23, 2022-12-12, 2023-04-25, 2024-02-08, 2025-09-18 (the default).
  Bulk syncs have \`schedule\` before 2025-09-18 and \`default_schedule\` since; without the header both are accepted
  and returned.
- \`Idempotency-Key\` (8 to 255 letters, digits, \`-\`, \`_\`) is honoured on POST, PUT and PATCH for 24 hours. A 5xx is
  kept only if something was done before it, or may have been.
- Nothing that a request says is dropped in silence, in its query, its body, or a configuration in it. A member that a
  generation of the wire knows is honoured, or refused with its name (\`422 unsupported_member\`). One that looks like a
  misspelling of a member that is read and is not there is refused, with the name that was meant (\`400 unknown_member\`);
  the vendor's generated clients misspell only configurations, so only there. Any other member that nothing reads is named
  in the response header \`Tidemark-Ignored\`: a client may be newer than the server, or send back what it read. With \`Tidemark-Strict: true\` unknown members are refused; the command line sends it.
- \`Tidemark-Warning\` in an answer says what a caller may not expect of what was done: that a sync was saved with a
  schedule and is not \`active\` (the default), so that its schedule starts nothing.
- Maps of a query take members in brackets (\`params[table]=x\`, \`filters[enabled]=true\`) or one JSON text; a list repeats
  its name, with or without \`[]\`.
- An empty \`organization_id\` counts as left out.
- Errors are \`{key, message, metadata, status}\`; [errors.md](errors.md) lists every key with its remedy.
- (+) marks what Tidemark adds. \`GET /api/openapi.json\` describes every built operation (OpenAPI 3.1).
- \`GET /healthz\` and \`GET /readyz\` are for load balancers and need no key.
- A body is JSON in UTF-8, as it is: another charset or a \`Content-Encoding\` is 415. Half surrogate pairs and NUL, which
  cannot be stored, are refused with the place where they stand.
- A path that there is answers 405 to another method, with \`Allow\`.
- A page in a browser cannot call the API from another origin: \`OPTIONS\` is answered 405, since a key on a page is a key
  given away. Let the page ask your server.

| method | path | operation | key | built |
|---|---|---|---|---|
${rows.join('\n')}
`,
);
