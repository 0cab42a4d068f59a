import type { FixedValue } from '../contract.ts';
import { type Engine, identifier } from '../duckdb-engine/index.ts';
import { refusalsBy } from '../fixed-values.ts';
import { refusedOr } from './model-batches.ts';
import { castValue, columnOf } from './model-columns.ts';
import type { Target } from './model-destination.ts';
import { fitsOf } from './model-fits.ts';
import { batch, stageBatch } from './model-stage.ts';

/** Each value is cast as a batch's are, and put into a temporary column with the type and the checks of the target's. */
export function refusals(engine: Engine, target: Target, values: readonly FixedValue[]) {
  const { fields, constraints } = target;
  return refusalsBy(values, { fields, fitOf: fitsOf(target) }, async (text, { id }) => {
    const column = columnOf(target, id);
    const checks = constraints.filter(
      ({ text: constraint, columns }) => constraint.startsWith('CHECK') && columns.join() === id,
    );
    const parts = [`${identifier(id)} ${column.typeName}`, ...checks.map((check) => check.text)];
    await engine.run(`create or replace temp table target (${parts.join(', ')})`);
    await stageBatch(engine, [{ key: '', hash: '', values: [text] }]);
    try {
      await engine.run(`insert into temp.main.target select ${castValue(column, 'b.v[1]')} from ${batch} b`);
    } catch (error) {
      throw refusedOr(error);
    }
  });
}
