import pg, { type Client } from 'pg';
import type { JsonObject } from '../../lib/json.ts';
import type {
  BulkOutput,
  BulkRange,
  Committed,
  LoadPlan,
  RowStream,
  TableLoad,
  WireFormat,
} from '../contract.ts';
import { checkExpected } from '../expected-position.ts';
import { Written } from '../row-counts.ts';
import {
  type Claim,
  claimLoad,
  dropForsaken,
  endClaim,
  storedRanges,
  storeRange,
  takenOver,
} from './bulk-claim.ts';
import { copyRowsIn } from './bulk-copy-in.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { IdleSessions } from './bulk-idle-sessions.ts';
import { findLive } from './bulk-live.ts';
import { analyzeAndEnd, checkLive, makeLive } from './bulk-make-live.ts';
import { qualified } from './bulk-names.ts';
import { breakOff, openSession } from './bulk-session.ts';
import type { Connect } from './bulk-source.ts';
import { keyProblem } from './bulk-stage.ts';
import { ensureState, readState, writeState } from './bulk-state.ts';
import { beginTurn, endLoads, joinLoad, loadName } from './bulk-turn.ts';
import { begin } from './transaction.ts';

/**
 * A server that loses a range after its commit also loses the note that it is stored, and the session of whoever
 * could believe it is: the transaction that makes the table live waits for the disk, and with it for all before.
 */
const committedLater = 'set local synchronous_commit = off';

/**
 * Loads a table in ranges, several at a time, each in a session and a transaction of its own that also notes it as
 * stored. The table beside the live one is therefore committed, and stays for the run that takes over; whoever
 * loads the same table next removes what nobody goes on with. (COPY FREEZE is only for the transaction that has
 * made the table.)
 */
export async function rangedLoad(connect: Connect, output: BulkOutput, plan: LoadPlan): Promise<TableLoad> {
  const open = () => openSession(connect, loadName(plan.executionId, output));
  const keeper = await open();
  const idle = new IdleSessions(open);
  try {
    await ensureState(keeper, output.schema);
    await beginTurn(keeper, output, plan.executionId);
    checkExpected(output, plan, (await readState(keeper, output))?.position);
    const client = await idle.take();
    await dropForsaken(client, output.schema);
    const claim = await claimLoad(client, output, plan);
    idle.giveBack(client);
    const load = new RangedLoad(connect, keeper, idle, output, plan, claim);
    try {
      await checkLive(keeper, output, plan, await findLive(keeper, output), load.side);
    } catch (error) {
      await load.discard();
      throw error;
    }
    return load;
  } catch (error) {
    breakOff(keeper);
    await idle.end();
    throw lostOrRefused(error);
  }
}

class RangedLoad implements TableLoad {
  readonly side: string;
  readonly #connect: Connect;
  readonly #idle: IdleSessions;
  /** Has the turn in a transaction that lasts as long as the load, and commits it. */
  readonly #keeper: Client;
  readonly #output: BulkOutput;
  readonly #plan: LoadPlan;
  readonly #claim: Claim;
  readonly #writers = new Set<Client>();

  constructor(
    connect: Connect,
    keeper: Client,
    idle: IdleSessions,
    output: BulkOutput,
    plan: LoadPlan,
    claim: Claim,
  ) {
    this.#connect = connect;
    this.#idle = idle;
    this.#keeper = keeper;
    this.#output = output;
    this.#plan = plan;
    this.#claim = claim;
    this.side = qualified({ schema: output.schema, name: claim.side });
  }

  get stored(): ReadonlyMap<string, number> {
    return this.#claim.stored;
  }

  async write(rows: RowStream, format: WireFormat, range?: BulkRange): Promise<Written> {
    if (range === undefined) throw new Error('a load in ranges takes nothing but ranges');
    const client = await this.#idle.take();
    this.#writers.add(client);
    try {
      await begin(client, 'write');
      await client.query(`${committedLater}; ${joinLoad(this.#output, this.#plan.executionId)}`);
      const written = await copyRowsIn(client, { table: this.side }, rows, format, this.#output.columns);
      await storeRange(client, this.#output, this.#claim, range.id, written.rows);
      await client.query('commit');
      this.#idle.giveBack(client);
      return written;
    } catch (error) {
      breakOff(client);
      const before = await this.#storedBefore(error, range).catch((failure: unknown) => {
        throw lostOrRefused(failure);
      });
      if (before !== undefined) return Written.before(before);
      throw lostOrRefused(keyProblem(error, this.#output));
    } finally {
      this.#writers.delete(client);
    }
  }

  /** A commit whose answer was lost is found when the range is written once more: its rows are there. */
  async #storedBefore(error: unknown, { id }: BulkRange): Promise<number | undefined> {
    if (!(error instanceof pg.DatabaseError) || error.constraint !== '_tidemark_state_pkey') return undefined;
    return (await storedRanges(this.#keeper, this.#output)).get(id);
  }

  async commit(position: JsonObject): Promise<Committed> {
    const client = this.#keeper;
    const output = this.#output;
    await this.#idle.end();
    try {
      const stored = await storedRanges(client, output);
      if (!(await endClaim(client, output, this.#claim.token))) takenOver(output);
      const rows = stored.values().reduce((total, count) => total + count, 0);
      const stage = { table: this.side, side: this.#claim.side, rows };
      const committed = await makeLive(client, output, this.#plan, stage);
      await client.query(`drop table if exists ${this.side}`);
      await writeState(client, output, position);
      await client.query('commit');
      void analyzeAndEnd(client, output);
      return committed;
    } catch (error) {
      breakOff(client);
      throw lostOrRefused(keyProblem(error, output));
    }
  }

  async abort(): Promise<void> {
    for (const client of [this.#keeper, ...this.#writers]) breakOff(client);
    await this.#idle.end();
  }

  async discard(): Promise<void> {
    await this.abort();
    try {
      const client = await openSession(this.#connect, 'tidemark discard');
      try {
        await begin(client, 'write');
        if (!(await endClaim(client, this.#output, this.#claim.token))) return;
        await endLoads(client, this.#output, this.#plan.executionId);
        await client.query(`drop table if exists ${this.side}; commit`);
      } finally {
        await client.end();
      }
    } catch {
      // Whoever loads the table next removes it.
    }
  }
}
