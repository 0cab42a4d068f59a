import type { BulkOutput, Session, ValueWarning } from '../../src/connectors/contract.ts';

/**
 * Copies one table from one system to another as a bulk sync does.
 *
 * @returns the warnings that say which values of which column arrived changed.
 */
export async function copy(
  from: Session,
  schemaId: string,
  to: Session,
  target: { schema: string; name: string },
): Promise<ValueWarning[]> {
  const { bulkSource: source } = from;
  const { bulkDestination: destination } = to;
  if (source === undefined || destination === undefined) throw new Error('not a pair of a bulk sync');
  const table = await source.table(schemaId, undefined);
  const { origin, columns, primaryKey } = table;
  const output: BulkOutput = { ...target, origin, columns, primaryKey };
  const executionId = crypto.randomUUID();
  const load = await destination.load(output, {
    executionId,
    mode: 'replace',
    truncate: false,
    ranged: false,
  });
  const format = table.formats.find((one) => destination.formats.includes(one));
  if (format === undefined) throw new Error('no common format');
  const rows = await source.read(table, format, {});
  const written = await load.write(rows, format);
  await load.commit({});
  return [...(rows.warnings ?? []), ...written.warnings];
}
