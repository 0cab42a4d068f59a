import { type Static, Type } from 'typebox';

const secret = { sensitive: true };

/** The keys are Polytomic's, so that a configuration written for it works here. */
export const configuration = Type.Object(
  {
    hostname: Type.String({
      title: 'Hostname',
      minLength: 1,
      // The driver reads a path as a folder of sockets on this machine: not for tenants to choose.
      pattern: '^[^/\\\\\\s]+$',
      examples: ['database.example.com'],
    }),
    port: Type.Integer({ title: 'Port', default: 5432, minimum: 1, maximum: 65_535 }),
    database: Type.String({ title: 'Database', minLength: 1 }),
    username: Type.String({ title: 'Username', minLength: 1 }),
    password: Type.String({ title: 'Password', ...secret }),
    ssl: Type.Optional(
      Type.Boolean({
        title: 'Use TLS',
        description:
          'Left out: with TLS where the server speaks it, else without. A CA certificate demands it.',
      }),
    ),
    ca_cert: Type.Optional(
      Type.String({
        title: 'CA certificate (PEM)',
        description: 'The server must then prove its name.',
        ...secret,
      }),
    ),
    client_certs: Type.Boolean({ title: 'Use a client certificate', default: false }),
    client_certificate: Type.Optional(Type.String({ title: 'Client certificate (PEM)', ...secret })),
    client_key: Type.Optional(Type.String({ title: 'Client key (PEM)', ...secret })),
    ssh: Type.Optional(Type.Boolean({ title: 'Connect through SSH', description: 'Not built yet.' })),
    ssh_user: Type.Optional(Type.String({ title: 'SSH user' })),
    ssh_host: Type.Optional(Type.String({ title: 'SSH host' })),
    ssh_port: Type.Optional(Type.Integer({ title: 'SSH port' })),
    ssh_private_key: Type.Optional(Type.String({ title: 'SSH private key', ...secret })),
    row_level_security: Type.Optional(
      Type.Boolean({
        title: 'Read only what row-level security shows',
        description:
          'Without it, a table whose policies hide rows from this user fails, so that rows are not missed unnoticed.',
        default: false,
      }),
    ),
    change_detection: Type.Optional(
      Type.Boolean({
        title: 'Stream changes (CDC)',
        description: 'Not built yet: tables are read in full.',
        refused:
          'change streams are not built: tables are read in full, or by a tracking field; leave it out or false',
      }),
    ),
    publication: Type.Optional(
      Type.String({ title: 'Publication', refused: 'change streams are not built: leave it out' }),
    ),
  },
  { title: 'PostgreSQL' },
);

export type Configuration = Static<typeof configuration>;
