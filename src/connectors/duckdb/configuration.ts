import { type Static, Type } from 'typebox';

export const configuration = Type.Object(
  {
    database: Type.String({
      title: 'Database file',
      description:
        'Name of a file in the folder that this server keeps for the organization. A destination makes it where it is missing.',
      minLength: 1,
      maxLength: 128,
      // A plain file name: no folders, nothing hidden, and not what DuckDB writes beside a database.
      pattern: '^(?!.*\\.wal$)[A-Za-z0-9_][A-Za-z0-9_ .-]*$',
      examples: ['analytics.duckdb'],
    }),
  },
  { title: 'DuckDB' },
);

export type Configuration = Static<typeof configuration>;
