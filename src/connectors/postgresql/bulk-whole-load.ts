import type { Client } from 'pg';
import type { BulkOutput, LoadPlan, TableLoad } from '../contract.ts';
import { checkExpected } from '../expected-position.ts';
import { dropLoads } from './bulk-claim.ts';
import { copyRowsIn } from './bulk-copy-in.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { findLive } from './bulk-live.ts';
import { analyzeAndEnd, checkLive, makeLive, type Stage, swaps } from './bulk-make-live.ts';
import { breakOff, openSession } from './bulk-session.ts';
import type { Connect } from './bulk-source.ts';
import { createSide, createTemporaryStage, keyProblem, sideName, temporaryStage } from './bulk-stage.ts';
import { ensureState, readState, writeState } from './bulk-state.ts';
import { beginTurn, loadName } from './bulk-turn.ts';

/**
 * Loads a table as one stream. Everything from the first staged row to the commit is one transaction: a run that
 * is killed at any moment leaves nothing behind, because the server rolls back. The price is one open transaction
 * per load, which the COPY alone would take anyway.
 */
export async function wholeLoad(connect: Connect, output: BulkOutput, plan: LoadPlan): Promise<TableLoad> {
  const client = await openSession(connect, loadName(plan.executionId, output));
  try {
    await ensureState(client, output.schema);
    await beginTurn(client, output, plan.executionId);
    if (await dropLoads(client, output)) {
      // What was left makes room before the rows come.
      await client.query('commit');
      await beginTurn(client, output, plan.executionId);
    }
    checkExpected(output, plan, (await readState(client, output))?.position);
    return loadInto(client, output, plan, await createStage(client, output, plan));
  } catch (error) {
    breakOff(client);
    throw lostOrRefused(error);
  }
}

async function createStage(client: Client, output: BulkOutput, plan: LoadPlan): Promise<Stage> {
  const live = await findLive(client, output);
  const stage: Stage = { table: temporaryStage, rows: 0 };
  if (swaps(plan, live)) {
    stage.side = sideName(output, plan);
    stage.table = await createSide(client, output, stage.side);
  } else {
    await createTemporaryStage(client, output);
  }
  await checkLive(client, output, plan, live, stage.table);
  return stage;
}

function loadInto(client: Client, output: BulkOutput, plan: LoadPlan, stage: Stage): TableLoad {
  const attempt = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      breakOff(client);
      throw lostOrRefused(keyProblem(error, output));
    }
  };
  const abort = async () => breakOff(client);
  return {
    stored: new Map(),
    write: (stream, format) =>
      attempt(async () => {
        // FREEZE: the rows need no later vacuum, and a transaction older than the swap, which finds the new table under the
        // old name, sees its rows instead of an empty table.
        const into = { table: stage.table, options: ['freeze'] };
        const written = await copyRowsIn(client, into, stream, format, output.columns);
        stage.rows += written.rows;
        return written;
      }),
    commit: (position) =>
      attempt(async () => {
        const committed = await makeLive(client, output, plan, stage);
        await writeState(client, output, position);
        await client.query('commit');
        void analyzeAndEnd(client, output);
        return committed;
      }),
    abort,
    discard: abort,
  };
}
