import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { BulkOutput, Committed, LoadPlan, RowStream, TableLoad, WireFormat } from '../contract.ts';
import { copyIn } from './bulk-copy-in.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { compare } from './bulk-evolve.ts';
import { checkReplaceable, checkWritable, findLive } from './bulk-live.ts';
import { mergeStaged } from './bulk-merge.ts';
import { qualified } from './bulk-names.ts';
import { breakOff, openSession } from './bulk-session.ts';
import type { Connect } from './bulk-source.ts';
import { addKey, createSide, createTemporaryStage, keyProblem, temporaryStage } from './bulk-stage.ts';
import { ensureState, writeState } from './bulk-state.ts';
import { swap } from './bulk-swap.ts';
import { takeTurn } from './bulk-turn.ts';

/**
 * Loads a table as one stream. Everything from the first staged row to the commit is one transaction: a run that
 * is killed at any moment leaves nothing behind, because the server rolls back. The price is one open transaction
 * per load, which the COPY alone would take anyway.
 */
export async function wholeLoad(connect: Connect, output: BulkOutput, plan: LoadPlan): Promise<TableLoad> {
  const applicationName = `tidemark load ${plan.executionId}`;
  const client = await openSession(connect, applicationName);
  try {
    await ensureState(client, output.schema);
    await client.query('begin');
    await takeTurn(client, output, applicationName);
    return await stagedLoad(client, output, plan);
  } catch (error) {
    breakOff(client);
    throw lostOrRefused(error);
  }
}

async function stagedLoad(client: Client, output: BulkOutput, plan: LoadPlan): Promise<TableLoad> {
  const live = await findLive(client, output);
  // What is not there yet is made, whatever the mode.
  const swaps = live === undefined || (plan.mode === 'replace' && !plan.truncate);
  const sideName = `_tidemark_${digest(`${plan.executionId} ${output.name}`)}`;
  let stage = temporaryStage;
  if (swaps) {
    if (live !== undefined) checkReplaceable(live, output);
    stage = await createSide(client, output, sideName);
  } else {
    checkWritable(live, output);
    await createTemporaryStage(client, output);
    await compare(client, output, stage, undefined);
  }
  let rows = 0;
  const finish = async (): Promise<Committed> => {
    if (!swaps) return mergeStaged(client, output, plan, stage);
    await addKey(client, output, stage);
    await swap(client, output, plan, sideName);
    return { inserted: rows, changes: [] };
  };
  const abort = async () => breakOff(client);
  return {
    stored: new Map(),
    async write(stream, format) {
      try {
        const written = await copyFrozen(client, stage, stream, format);
        rows += written;
        return { rows: written, warnings: [] };
      } catch (error) {
        breakOff(client);
        throw lostOrRefused(keyProblem(error, output));
      }
    },
    async commit(position) {
      try {
        const committed = await finish();
        await writeState(client, output, {
          position,
          columns: output.columns.map(({ outputName }) => outputName),
        });
        await client.query('commit');
        if (swaps) void analyzeAndEnd(client, output);
        else await client.end();
        return committed;
      } catch (error) {
        breakOff(client);
        throw lostOrRefused(error);
      }
    },
    abort,
    discard: abort,
  };
}

/**
 * FREEZE: the rows need no later vacuum, and a transaction older than the swap, which finds the new table under
 * the old name, sees its rows instead of an empty table.
 */
async function copyFrozen(
  client: Client,
  table: string,
  rows: RowStream,
  format: WireFormat,
): Promise<number> {
  const binary = format === 'pg-binary';
  const options = binary ? 'format binary, freeze' : 'freeze';
  return copyIn(client, `copy ${table} from stdin (${options})`, rows, binary);
}

/**
 * Statistics of the columns, for the planner. Nobody waits for them: the rows are live, their number is known
 * from the key's build or the file's size, and where this fails autovacuum does the same a minute later.
 */
async function analyzeAndEnd(client: Client, output: BulkOutput): Promise<void> {
  try {
    await client.query(`analyze ${qualified(output)}`);
    await client.end();
  } catch {
    breakOff(client);
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
