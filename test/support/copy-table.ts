import type { BulkOutput, LoadPlan, Session, ValueWarning } from '../../src/connectors/index.ts';

export interface CopyOptions {
  output?: Partial<BulkOutput>;
  plan?: Partial<LoadPlan>;
  /** Rows of a range. Undefined: the table is read as a whole. */
  rangeRows?: number;
}

/** Copies one table from one session to another, as a bulk sync does. */
export async function copyTable(
  from: Session,
  to: Session,
  schemaId: string,
  { output, plan, rangeRows }: CopyOptions = {},
): Promise<{ rows: number; warnings: ValueWarning[] }> {
  const { bulkSource: source } = from;
  const { bulkDestination: destination } = to;
  if (source === undefined || destination === undefined) throw new Error('not for bulk syncs');
  const table = await source.table(schemaId, undefined);
  const ranges = rangeRows === undefined ? [] : ((await source.ranges?.(table, rangeRows)) ?? []);
  const format = table.formats.find((one) => destination.formats.includes(one));
  if (format === undefined) throw new Error('no common format');
  const load = await destination.load(
    {
      origin: table.origin,
      schema: 'copy',
      name: schemaId.replace(/^[^.]*\./, ''),
      columns: table.columns,
      primaryKey: table.primaryKey,
      ...output,
    },
    {
      executionId: crypto.randomUUID(),
      mode: 'replace',
      truncate: false,
      ranged: ranges.length > 0,
      ...plan,
    },
  );
  let total = load.stored.values().reduce((sum, rows) => sum + rows, 0);
  const warnings: ValueWarning[] = [];
  for (const range of ranges.length === 0 ? [undefined] : ranges.filter(({ id }) => !load.stored.has(id))) {
    const rows = await source.read(table, format, range === undefined ? {} : { range });
    const written = await load.write(rows, format, range);
    total += written.rows;
    warnings.push(...(rows.warnings ?? []), ...written.warnings);
  }
  await load.commit({});
  return { rows: total, warnings };
}
