import type { ValueWarning } from '../connectors/index.ts';
import type { Run } from '../executions/index.ts';
import type { Task } from './tasks.ts';

/**
 * Says which values of a table arrived changed: a line of the console and an entry of the record log for every
 * column and rule. They become part of the record with the commit that ends the table.
 */
export async function logWarnings(run: Run, task: Task, warnings: readonly ValueWarning[]): Promise<void> {
  for (const { column, rule, count } of sumUp(warnings)) {
    const entry = { schema: task.schemaId, output: task.output.name, column, rule, count };
    run.recordLog('warnings', JSON.stringify(entry));
    await run.console('warn', `${column}: ${count} values, ${rule}`, entry, task.schemaId);
  }
}

/** One warning per column and rule, whichever ranges it came from. */
export function sumUp(warnings: readonly ValueWarning[]): ValueWarning[] {
  const groups = Map.groupBy(warnings, ({ column, rule }) => JSON.stringify([column, rule]));
  return [...groups.values()].flatMap(([first, ...rest]) =>
    first === undefined
      ? []
      : [{ ...first, count: rest.reduce((total, { count }) => total + count, first.count) }],
  );
}
