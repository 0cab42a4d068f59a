import type { BulkColumn, TargetCreation } from '../contract.ts';
import { tableId } from '../table-id.ts';
import { declaredType } from './bulk-declared-type.ts';
import { list, outputKey, qualified, refuse } from './bulk-names.ts';
import type { Connect } from './bulk-source.ts';
import { describeTarget } from './model-target.ts';
import { identifier } from './quote.ts';
import { ask } from './transaction.ts';
import { withReader, withWriter } from './with-client.ts';

const system = { path: 'system' } as const;

export function targetCreation(connect: Connect): TargetCreation {
  return {
    schemas: () =>
      withReader(
        connect,
        'tidemark targets',
        async (client) => {
          const { rows } = await ask<{ name: string }>(
            client,
            `select nspname as name from pg_namespace where has_schema_privilege(oid, 'create')
             and nspname <> 'information_schema' and nspname not like 'pg\\_%' order by nspname <> 'public', nspname`,
          );
          return rows.map(({ name }) => name);
        },
        system,
      ),
    createTable: (output) =>
      withWriter(connect, 'tidemark targets', async (client) => {
        for (const name of [output.schema, output.name]) checkName(name);
        const key = list(outputKey(output));
        const parts = [...output.columns.map(definition), ...(key === '' ? [] : [`primary key (${key})`])];
        await client.query(`create table if not exists ${qualified(output)} (${parts.join(', ')})`);
        return tableId(output.schema, output.name);
      }),
    addColumns: (object, columns) =>
      withWriter(connect, 'tidemark targets', async (client) => {
        const { table } = await describeTarget(client, object);
        const added = columns.map((column) => `add column if not exists ${definition(column)}`);
        if (added.length > 0) await client.query(`alter table ${table} ${added.join(', ')}`);
      }),
  };
}

function definition({ outputName, type }: BulkColumn): string {
  checkName(outputName);
  return `${identifier(outputName)} ${declaredType(outputName, type)}`;
}

/** PostgreSQL would cut it off. */
function checkName(name: string): void {
  if (name === '' || name.includes('\0')) refuse(`${JSON.stringify(name)} can be no name`);
  if (Buffer.byteLength(name) > 63) refuse(`${name}: PostgreSQL takes names of 63 bytes at most`);
}
