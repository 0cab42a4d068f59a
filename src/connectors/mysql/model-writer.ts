import type { Connection, ResultSetHeader } from 'mysql2/promise';
import {
  BatchRefused,
  type ModelWriter,
  type OutgoingRecord,
  type RecordResult,
  type TargetDefinition,
} from '../contract.ts';
import { withRefused } from '../identity-functions.ts';
import { statusOf } from '../record-status.ts';
import { tryEmpty } from '../try-empty.ts';
import { unreachable } from '../unreachable.ts';
import { breakOff, type Connect, rowsOf } from './client.ts';
import { batchOutcome, ensureBatches, noteCommitted } from './model-batches.ts';
import { findRows } from './model-matching.ts';
import { refusedOr } from './model-refused.ts';
import { modelStatements, type Statements } from './model-statements.ts';
import type { Target } from './model-target.ts';

/** Enough to make the round trips cheap, few enough to find one bad record quickly. */
const batchSize = 1_000;

/**
 * Writes batches, each in one transaction: the batch is staged in a temporary table, known records are updated from it
 * and the others inserted. A row of the same transaction notes the batch, so that the server itself says after a crash
 * whether it was committed.
 */
export async function modelWriter(
  connect: Connect,
  target: Target,
  definition: TargetDefinition,
): Promise<ModelWriter> {
  const statements = modelStatements(target, definition);
  let session: Connection | undefined;

  const open = async (): Promise<Connection> => {
    if (session !== undefined) return session;
    const connection = await connect().catch(unreachable);
    try {
      await ensureBatches(connection, target.database);
      for (const statement of statements.stage) await connection.query(statement);
    } catch (error) {
      breakOff(connection);
      return unreachable(error);
    }
    session = connection;
    return connection;
  };

  const write: ModelWriter['write'] = async (records, prepared) => {
    const connection = await open();
    try {
      await connection.query('start transaction');
      const results = await apply(connection, statements, definition, records);
      const token = crypto.randomUUID();
      await noteCommitted(connection, target.database, token);
      await prepared(token, results);
      await connection.query('commit');
      return results;
    } catch (error) {
      await connection.query('rollback').catch(() => {
        breakOff(connection);
        session = undefined;
      });
      throw refusedOr(error);
    }
  };

  return {
    batchSize,
    write,
    tryEmpty: () => tryEmpty((prepared) => write([], prepared)),
    outcome: (token) => batchOutcome(connect, target.database, token),
  };
}

async function apply(
  connection: Connection,
  statements: Statements,
  definition: TargetDefinition,
  records: readonly OutgoingRecord[],
): Promise<RecordResult[]> {
  await connection.query(statements.clear);
  for (const statement of statements.fill(records)) {
    await connection.query(statement).catch((error: unknown) => {
      throw refusedOr(error, statements.names);
    });
  }
  const resolved = await findRows(connection, statements.matching);
  const rows =
    statements.known === undefined ? [] : await rowsOf<{ n: string }>(connection, statements.known);
  const known = new Set(rows.map(({ n }) => Number(n)));
  const isEmpty = records.length === 0;
  if (statements.change !== undefined && (known.size > 0 || isEmpty))
    await connection.query(statements.change);
  const others = [...known, ...resolved.refused.keys()];
  if (statements.insert !== undefined && (others.length < records.length || isEmpty)) {
    const [{ affectedRows }] = await connection.query<ResultSetHeader>(statements.insert(others));
    if (affectedRows !== records.length - others.length) {
      throw new BatchRefused('a trigger of the target kept the row out');
    }
  }
  return withRefused(records.length, resolved, (n) => ({ status: statusOf(definition.mode, known.has(n)) }));
}
