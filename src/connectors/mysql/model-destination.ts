import type { Connection } from 'mysql2/promise';
import { notFound } from '../../errors.ts';
import { checkedReplacement, checkedWriter } from '../checked.ts';
import type { ModelDestination, ModelSyncMode, TargetField, TargetObject } from '../contract.ts';
import { tableId } from '../table-id.ts';
import { type Connect, rowsOf, withConnection } from './client.ts';
import { type Column, columnsOf, findTable, systemDatabases, type TableColumn } from './columns.ts';
import { alikeIdentities } from './model-alike.ts';
import { targetCreation } from './model-creation.ts';
import { fitsOf } from './model-fits.ts';
import { refusals } from './model-fixed-values.ts';
import { targetLife } from './model-life.ts';
import { functionsOf } from './model-matching.ts';
import { modelReplacement } from './model-replacement.ts';
import { modelWriter } from './model-writer.ts';
import { literal } from './quote.ts';

const modes: ModelSyncMode[] = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'];
/** Records are collected in a temporary table like the target, which may not have partitions. */
const partitionedModes = modes.filter((mode) => mode !== 'replace');

/** A table that batches can be written to, each wholly or not at all: InnoDB. */
export interface Target {
  database: string;
  table: string;
  columns: TableColumn[];
  fields: TargetField[];
  /** The AUTO_INCREMENT column. */
  countsUp: string | undefined;
}

export function modelDestination(connect: Connect, database: string | undefined): ModelDestination {
  const describe = (object: string) =>
    withConnection(connect, (connection) => describeTarget(connection, object));
  return {
    creation: targetCreation(connect, database),
    objects: () =>
      withConnection(connect, async (connection): Promise<TargetObject[]> => {
        const where = database
          ? `table_schema = ${literal(database)}`
          : `table_schema not in ${systemDatabases}`;
        const rows = await rowsOf<{ schema: string; name: string; partitioned: number }>(
          connection,
          `select table_schema as \`schema\`, table_name as name, create_options like '%partitioned%' as partitioned
           from information_schema.tables
           where ${where} and table_type = 'BASE TABLE' and engine = 'InnoDB' and table_name not like '\\_tidemark\\_%' order by 1, 2`,
        );
        return rows.map(({ schema, name, partitioned }) => {
          const id = tableId(schema, name);
          return { id, name: id, modes: Number(partitioned) === 1 ? partitionedModes : modes };
        });
      }),
    fields: async (object) => (await describe(object)).fields,
    refusals: async (object, values) => refusals(connect, await describe(object), values),
    alike: async (definition) => alikeIdentities(connect, await describe(definition.object), definition),
    life: ({ object }) => targetLife(connect, object),
    async writer(definition) {
      const target = await describe(definition.object);
      return checkedWriter(await modelWriter(connect, target, definition), definition, fitsOf(target));
    },
    async replacement(definition) {
      const target = await describe(definition.object);
      return checkedReplacement(
        await modelReplacement(connect, target, definition),
        definition,
        fitsOf(target),
      );
    },
  };
}

interface ExtraRow {
  name: string;
  extra: string;
  hasDefault: number;
}

async function describeTarget(connection: Connection, object: string): Promise<Target> {
  const { database, name: table } = await findTable(connection, object);
  const [found] = await rowsOf<{ engine: string | null }>(
    connection,
    `select engine from information_schema.tables where table_schema = ? and table_name = ? and table_type = 'BASE TABLE'`,
    [database, table],
  );
  if (found?.engine !== 'InnoDB') throw notFound('target object', object);
  const columns = await columnsOf(connection, { database, name: table });
  const extras = await rowsOf<ExtraRow>(
    connection,
    `select column_name as name, extra, column_default is not null or extra like '%auto_increment%' as hasDefault
     from information_schema.columns where table_schema = ? and table_name = ?`,
    [database, table],
  );
  const hasKey = columns.some(({ keyPosition }) => keyPosition !== null);
  const byName = new Map(extras.map((row) => [row.name, row]));
  return {
    database,
    table,
    columns,
    fields: columns.map((column) => toField(column, byName.get(column.name), hasKey)),
    countsUp: extras.find(({ extra }) => /auto_increment/i.test(extra))?.name,
  };
}

function toField(
  { name, field, type, nullable }: Column,
  row: ExtraRow | undefined,
  hasKey: boolean,
): TargetField {
  const isGenerated = /(virtual|stored|persistent) generated/i.test(row?.extra ?? '');
  return {
    ...{ id: name, name, type: field, remoteType: type, nullable },
    required: !nullable && Number(row?.hasDefault) !== 1 && !isGenerated,
    createable: !isGenerated,
    updateable: !isGenerated,
    filterable: true,
    identityFunctions: hasKey ? functionsOf(type) : ['Equality'],
  };
}
