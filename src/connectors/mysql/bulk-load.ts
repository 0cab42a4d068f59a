import type { Connection } from 'mysql2/promise';
import type { JsonObject } from '../../lib/json.ts';
import type { BulkOutput, BulkRange, Committed, LoadPlan, RowStream, TableLoad } from '../contract.ts';
import { checkExpected, checkStillThere } from '../expected-position.ts';
import { Written } from '../row-counts.ts';
import { checkStranger } from '../strangers.ts';
import { expectMerged, expectStaged } from './bulk-counts.ts';
import { compare, evolve } from './bulk-evolve.ts';
import { checkLive, findLive, type LiveTable, swaps } from './bulk-live.ts';
import { withoutReaders } from './bulk-lock.ts';
import { mergeSide } from './bulk-merge.ts';
import { checkNames, liveOf, refuse, sideOf } from './bulk-names.ts';
import { checkClaim, dropSide, prepareSide, type Side, swap } from './bulk-side.ts';
import { standingOf } from './bulk-standing.ts';
import {
  beginRange,
  commentOf,
  dropEntries,
  endRange,
  ensureState,
  readEntry,
  storedRanges,
  writeEntry,
} from './bulk-state.ts';
import { endSessions, enlist, takeTurn } from './bulk-turn.ts';
import { breakOff, type Connect, withConnection } from './client.ts';
import { isDuplicate, isServerError, lostOrRefused } from './errors.ts';
import { loadRows, rowProblem } from './load-data.ts';
import { literal } from './quote.ts';
import { exactCollation } from './server-version.ts';

/** The one range of a load that comes as a whole. */
const wholeTable = '';

/**
 * Loads a table beside the live one. MySQL commits with every CREATE, RENAME and ALTER, so the side table is there for
 * all to see, and stays when the load is killed: for the run that takes over, where the rows come in ranges, or to be
 * removed by whoever loads the table next. Each stream of rows is a transaction, in a session of its own, that also
 * notes the range as stored. What a commit does to rows and position is one transaction, or one atomic rename.
 */
export async function beginLoad(connect: Connect, output: BulkOutput, plan: LoadPlan): Promise<TableLoad> {
  checkNames(output);
  let keeper: Connection | undefined;
  try {
    keeper = await connect();
    await ensureState(keeper, output.schema);
    await enlist(keeper, output, plan.executionId);
    await takeTurn(keeper, output, plan.executionId);
    const collation = await exactCollation(keeper);
    const live = await findLive(keeper, output);
    const standing = await standingOf(keeper, output, live);
    checkExpected(output, plan, standing?.position);
    if (live !== undefined) {
      await checkLive(keeper, output, plan, live);
      checkStranger(output, plan, standing?.stranger);
      if (!swaps(plan, live)) await compare(keeper, output, collation);
    }
    const side = await prepareSide(keeper, output, plan, collation);
    const merges = live !== undefined && !swaps(plan, live);
    return new Load(connect, keeper, output, plan, side, collation, merges);
  } catch (error) {
    if (keeper !== undefined) breakOff(keeper);
    throw lostOrRefused(error);
  }
}

class Load implements TableLoad {
  readonly #connect: Connect;
  /** Has the turn, and commits. */
  readonly #keeper: Connection;
  readonly #output: BulkOutput;
  readonly #plan: LoadPlan;
  readonly #side: Side;
  readonly #collation: string;
  /** The rows are for the table that was there when the load began. */
  readonly #merges: boolean;
  readonly #writers = new Set<Connection>();

  constructor(
    connect: Connect,
    keeper: Connection,
    output: BulkOutput,
    plan: LoadPlan,
    side: Side,
    collation: string,
    merges: boolean,
  ) {
    this.#connect = connect;
    this.#keeper = keeper;
    this.#output = output;
    this.#plan = plan;
    this.#side = side;
    this.#collation = collation;
    this.#merges = merges;
  }

  get stored(): ReadonlyMap<string, number> {
    return this.#side.stored;
  }

  async write(rows: RowStream, _format: string, range?: BulkRange): Promise<Written> {
    const output = this.#output;
    const { schema } = output;
    const { token } = this.#side;
    const id = range?.id ?? wholeTable;
    let writer: Connection | undefined;
    try {
      writer = await this.#connect();
      this.#writers.add(writer);
      await enlist(writer, output, this.#plan.executionId);
      await writer.query('start transaction');
      // First: who writes the range once more, because a commit's answer was lost, learns at once that it is there.
      await beginRange(writer, schema, token, id);
      const written = await loadRows(writer, output, rows);
      await endRange(writer, schema, token, id, written.rows);
      await checkClaim(writer, output, this.#side);
      await writer.query('commit');
      await writer.end();
      return written;
    } catch (error) {
      if (writer !== undefined) breakOff(writer);
      const before = (await this.#storedBefore(error)).get(id);
      if (before !== undefined) return Written.before(before);
      if (isServerError(error) && /^2[23]/.test(error.sqlState))
        rowProblem(error.errno, error.message, output);
      throw lostOrRefused(error);
    } finally {
      if (writer !== undefined) this.#writers.delete(writer);
    }
  }

  async #storedBefore(error: unknown): Promise<Map<string, number>> {
    if (!isDuplicate(error) || this.#plan.ranged === false) return new Map();
    return storedRanges(this.#keeper, this.#output.schema, this.#side.token).catch(() => new Map());
  }

  async commit(position: JsonObject): Promise<Committed> {
    const output = this.#output;
    try {
      const live = await findLive(this.#keeper, output);
      const standing = await standingOf(this.#keeper, output, live);
      checkStranger(output, this.#plan, standing?.stranger);
      checkStillThere(output, this.#merges, live !== undefined);
      checkExpected(output, this.#plan, standing?.position);
      if (live !== undefined) await checkLive(this.#keeper, output, this.#plan, live);
      const committed =
        live === undefined || swaps(this.#plan, live)
          ? await this.#replace(live, position)
          : await this.#merge(live, position);
      await this.#keeper.end();
      return committed;
    } catch (error) {
      breakOff(this.#keeper);
      if (isDuplicate(error)) rowProblem(error.errno, error.message, output);
      throw lostOrRefused(error);
    }
  }

  /** The position is there before the rows are, under a token that nothing leads to until the rename. */
  async #replace(live: LiveTable | undefined, position: JsonObject): Promise<Committed> {
    const [keeper, output] = [this.#keeper, this.#output];
    const { token } = this.#side;
    const rows = await this.#stagedRows();
    await checkClaim(keeper, output, this.#side, false);
    await writeEntry(keeper, output.schema, token, 'position', position);
    await writeEntry(keeper, output.schema, token, 'columns', outputNames(output));
    await withoutReaders(keeper, output, () => swap(keeper, output, live !== undefined));
    await dropEntries(keeper, output.schema, token, ['position', 'columns']);
    if (live?.token !== undefined) await dropEntries(keeper, output.schema, live.token);
    return { rows, inserted: rows, changes: [] };
  }

  /** @throws rows_differ when the side table has not the rows that were stored. */
  async #stagedRows(): Promise<number> {
    const output = this.#output;
    const stored = await storedRanges(this.#keeper, output.schema, this.#side.token);
    const rows = stored.values().reduce((total, count) => total + count, 0);
    await expectStaged(this.#keeper, output, rows);
    return rows;
  }

  async #merge(live: LiveTable, position: JsonObject): Promise<Committed> {
    const [keeper, output] = [this.#keeper, this.#output];
    const rows = await this.#stagedRows();
    let changes: string[] = [];
    let token = live.token ?? '';
    await withoutReaders(keeper, output, async () => {
      const before =
        token === '' ? undefined : await readEntry<string[]>(keeper, output.schema, token, 'columns');
      changes = await evolve(keeper, output, this.#collation, before ?? []);
      if (token === '') token = await mark(keeper, output, live);
    });
    await keeper.query(`analyze local table ${sideOf(output)}`);
    await keeper.query('start transaction');
    await checkClaim(keeper, output, this.#side);
    const counts = await mergeSide(keeper, output, this.#plan, live);
    await expectMerged(keeper, output, this.#plan, rows);
    await writeEntry(keeper, output.schema, token, 'position', position);
    await writeEntry(keeper, output.schema, token, 'columns', outputNames(output));
    await keeper.query('commit');
    await dropSide(keeper, output);
    return { rows, ...counts, changes };
  }

  async abort(): Promise<void> {
    for (const connection of [this.#keeper, ...this.#writers]) breakOff(connection);
  }

  async discard(): Promise<void> {
    await this.abort();
    try {
      await withConnection(this.#connect, async (connection) => {
        await checkClaim(connection, this.#output, this.#side, false);
        await endSessions(connection, this.#output, this.#plan.executionId);
        await dropSide(connection, this.#output);
      });
    } catch {
      // It was taken over, or whoever loads the table next removes it.
    }
  }
}

function outputNames({ columns }: BulkOutput): string[] {
  return columns.map(({ outputName }) => outputName);
}

/** Gives a table that Tidemark did not make a name for its state, after whatever its comment says. */
async function mark(connection: Connection, output: BulkOutput, { comment }: LiveTable): Promise<string> {
  const token = crypto.randomUUID();
  const marked = `${comment} ${commentOf(token)}`.trim();
  if (marked.length > 2048) refuse(`The comment of ${output.schema}.${output.name} is too long to add to it`);
  await connection.query(`alter table ${liveOf(output)} comment = ${literal(marked)}`);
  return token;
}
