import { type Static, Type } from 'typebox';

const secret = { sensitive: true };

/** The keys are Polytomic's, so that a configuration written for it works here; `ca_cert` is ours. */
export const configuration = Type.Object(
  {
    hostname: Type.String({
      title: 'Hostname',
      minLength: 1,
      // A path would be a socket on this machine: not for tenants to choose.
      pattern: '^[^/\\\\\\s]+$',
      examples: ['database.example.com'],
    }),
    port: Type.Integer({ title: 'Port', default: 3306, minimum: 1, maximum: 65_535 }),
    account: Type.String({ title: 'Account', minLength: 1, examples: ['admin'] }),
    passwd: Type.String({ title: 'Password', ...secret }),
    dbname: Type.Optional(
      Type.String({ title: 'Database', description: 'Empty: every database that the account can see.' }),
    ),
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
    ssh: Type.Optional(Type.Boolean({ title: 'Connect through SSH', description: 'Not built yet.' })),
    ssh_user: Type.Optional(Type.String({ title: 'SSH user' })),
    ssh_host: Type.Optional(Type.String({ title: 'SSH host' })),
    ssh_port: Type.Optional(Type.Integer({ title: 'SSH port' })),
    ssh_private_key: Type.Optional(Type.String({ title: 'SSH private key', ...secret })),
    change_detection: Type.Optional(
      Type.Boolean({
        title: 'Stream changes (CDC)',
        description: 'Not built yet: tables are read in full.',
        refused:
          'change streams are not built: tables are read in full, or by a tracking field; leave it out or false',
      }),
    ),
  },
  { title: 'MySQL and MariaDB' },
);

export type Configuration = Static<typeof configuration>;
