import type { Client } from 'pg';
import type { FixedValue } from '../contract.ts';
import { refusalsBy } from '../fixed-values.ts';
import type { Connect } from './bulk-source.ts';
import { fitsOf } from './model-fits.ts';
import { refusedOr } from './model-stage.ts';
import type { Target } from './model-target.ts';
import { identifier } from './quote.ts';
import { ask, targetOptions } from './transaction.ts';
import { withWriter } from './with-client.ts';

/** Each value is read and assigned as a batch's are, to a temporary column with the type and the checks of the target's. */
export function refusals(connect: Connect, target: Target, values: readonly FixedValue[]) {
  return withWriter(
    connect,
    'tidemark targets',
    async (client) => {
      const isRewritten = await hasTriggersBefore(client, target);
      return refusalsBy(
        values,
        { fields: target.fields, fitOf: fitsOf(target), isRewritten },
        async (text, { id, remoteType }) => {
          const { rows } = await ask<{ check: string }>(
            client,
            `select format('constraint %I %s', conname, pg_get_constraintdef(c.oid)) as check from pg_constraint c
             join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
           where c.conrelid = $1::regclass and c.contype = 'c' and a.attname = $2 and not $3`,
            [target.table, id, isRewritten],
          );
          const column = `${identifier(id)} ${remoteType}`;
          const checks = rows.map(({ check }) => check.replace(/ NOT VALID$/, ''));
          await client.query('savepoint fixed_value');
          await client.query(`create temporary table target (${[column, ...checks].join(', ')})`);
          try {
            await client.query(`insert into pg_temp.target select $1::${target.baseTypes.get(id)}`, [text]);
          } catch (error) {
            throw refusedOr(error, { fields: [] });
          } finally {
            await client.query('rollback to savepoint fixed_value');
          }
        },
      );
    },
    targetOptions,
  );
}

/** For rows, of the table or a partition: checks and NOT NULL are of what they make of a row. */
async function hasTriggersBefore(client: Client, { table }: Target): Promise<boolean> {
  const { rows } = await ask(
    client,
    `select from pg_trigger where tgrelid in (select $1::regclass union all select relid from pg_partition_tree($1::regclass))
       and tgtype & 3 = 3 and tgenabled <> 'D' and not tgisinternal limit 1`,
    [table],
  );
  return rows.length > 0;
}
