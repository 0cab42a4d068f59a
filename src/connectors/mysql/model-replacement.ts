import { decodeCopyText } from '../../lib/copy-text.ts';
import { BatchRefused, type ModelReplacement, type ReplacedRow, type TargetDefinition } from '../contract.ts';
import { refuseAgain } from '../refused-rows.ts';
import { breakOff, type Connect, rowsOf } from './client.ts';
import { batchOutcome, ensureBatches, noteCommitted } from './model-batches.ts';
import { collectedTables, createCollected } from './model-collected.ts';
import { bySize, literals, modelColumns } from './model-columns.ts';
import { refusedOr } from './model-refused.ts';
import { surplusOf, withRecords } from './model-replacement-search.ts';
import { type Change, replacementStatements } from './model-replacement-statements.ts';
import type { Target } from './model-target.ts';
import { SelectedRows } from './row-stream.ts';
import { selected } from './selected.ts';

const batchSize = 2_000;

/**
 * Collects the records in a temporary table that has the target's checks and unique indexes over the mapped columns,
 * so that a record which cannot be stored is found when it is added. Then one transaction deletes, updates and inserts
 * what differs: other writers wait for it, readers do not. A swap by RENAME would be quicker, and would leave foreign
 * keys, triggers and grants with the old table; and no transaction could note that it was done.
 */
export async function modelReplacement(
  connect: Connect,
  target: Target,
  definition: TargetDefinition,
  refused: ReadonlyMap<string, string> = new Map(),
): Promise<ModelReplacement> {
  const columns = modelColumns(target, definition);
  const { key, mapped, written } = columns;
  const { collected, kept: keptTable } = collectedTables(target);
  const connection = await connect();
  const { uniqueKey, statements } = await prepare(connection, target, columns).catch((error: unknown) => {
    breakOff(connection);
    throw error;
  });
  let added = 0;

  /** Identities are the records' own: an index does not say so everywhere. */
  const checkIdentities = async (keys: readonly string[]): Promise<void> => {
    if (key === undefined || uniqueKey) return;
    const twice = await connection.query(
      `select 1 from ${collected} where ${key.name} in (${keys.join(', ')}) group by ${key.name} having count(*) > 1 limit 1`,
    );
    if ((twice[0] as unknown[]).length > 0) throw new BatchRefused('another record has this identity');
  };

  /** Place of the identity among a row's literals. */
  const keyAt = written.findIndex(({ name }) => name === key?.name);

  /** An identity that its column cannot hold is nobody's in the target. */
  const keep = async (keys: readonly string[]): Promise<void> => {
    if (key === undefined || keys.length === 0) return;
    const values = keys.map((one) => `(${literals([key], { key: one, values: [] })})`);
    try {
      for (const list of bySize(values)) {
        await connection.query(`insert into ${keptTable} (k) values ${list.join(', ')}`);
      }
    } catch (error) {
      if (!(refusedOr(error) instanceof BatchRefused)) throw error;
      if (keys.length === 1) return;
      const middle = keys.length >> 1;
      await keep(keys.slice(0, middle));
      await keep(keys.slice(middle));
    }
  };

  async function* changedRows({ status, rows }: Change): AsyncGenerator<ReplacedRow[]> {
    const read = [...(key === undefined ? [] : [key]), ...mapped];
    const { list, rendered } = selected(read.map(({ column }) => ({ ...column, charset: null })));
    const stream = new SelectedRows(connection, `select ${list} from ${rows}`, rendered);
    for await (const batch of decodeCopyText(stream)) {
      yield batch.map((texts) =>
        key === undefined
          ? { status, key: null, values: texts }
          : { status, key: texts[0] ?? null, values: texts.slice(1) },
      );
    }
  }

  return {
    batchSize,
    fields: definition.fields.map(
      ({ target: id, source }) => target.fields.find((one) => one.id === id) ?? source,
    ),
    async add(records) {
      const rows = records.map((record) => literals(written, record));
      const names = written.map(({ name }) => name).join(', ');
      try {
        await connection.query('start transaction');
        for (const list of bySize(rows.map((row) => `(${row.join(', ')})`))) {
          await connection.query(`insert into ${collected} (${names}) values ${list.join(', ')}`);
        }
        const identities = rows.map((row) => row[keyAt] ?? 'null');
        if (key !== undefined) await checkIdentities(identities);
        if (statements.search !== undefined && refused.size > 0) {
          const known = statements.search.known(identities, [...refused.keys()]);
          refuseAgain(await rowsOf<{ key: string }>(connection, known), refused);
        }
        await connection.query('commit');
      } catch (error) {
        await connection.query('rollback').catch(() => breakOff(connection));
        throw refusedOr(error);
      }
      added += records.length;
      return [];
    },
    async replace(kept, replaced, prepared) {
      const apply = async (change: Change) => {
        for await (const rows of changedRows(change)) await replaced(rows);
        await connection.query(change.sql);
      };
      try {
        for await (const keys of kept) await keep(keys);
        await connection.query('set transaction isolation level repeatable read');
        await connection.query('start transaction');
        await connection.query(statements.lock);
        for (const statement of statements.begin) await connection.query(statement);
        await apply(statements.remove);
        for (const change of await surplusOf(connection, statements.surplus)) await apply(change);
        for (const change of statements.changes) await apply(change);
        const [row] = await rowsOf<{ counted: string }>(connection, statements.count);
        if (Number(row?.counted) !== added) {
          throw new BatchRefused('a trigger of the target kept rows out, or put others in');
        }
        const token = crypto.randomUUID();
        await noteCommitted(connection, target.database, token);
        await prepared(token);
        await connection.query('commit');
      } catch (error) {
        try {
          throw await withRecords(connection, statements, refusedOr(error));
        } finally {
          // Its end is the transaction's, also where a SELECT is in the middle of its rows.
          breakOff(connection);
        }
      }
    },
    outcome: (token) => batchOutcome(connect, target.database, token),
  };
}

async function prepare(...[connection, target, columns]: Parameters<typeof createCollected>) {
  await ensureBatches(connection, target.database);
  const uniqueKey = await createCollected(connection, target, columns);
  const statements = replacementStatements(target, columns, uniqueKey);
  for (const statement of statements.prepare) await connection.query(statement);
  return { uniqueKey, statements };
}
