import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BulkOutput, type BulkTarget, ConnectionLost, type LoadPlan } from '../contract.ts';
import { type Engine, openEngine } from '../duckdb-engine/index.ts';
import { refuse } from './bulk-names.ts';

/** Milliseconds to wait for a worker of the same execution that may be dying. */
const patience = 15_000;
/** Milliseconds after which a load that nobody goes on with is removed. */
const forsakenAfter = 7 * 24 * 3_600_000;

/** Who may commit to a table: whoever wrote this last. */
interface Claim {
  executionId: string;
  token: string;
  /** Name of the file with the staged rows. */
  rows: string;
  shape: string;
}

/**
 * Where rows are until they are live: a database file of the load's own, beside the live one, so that loading blocks
 * nobody, several tables load at a time, and a file may be both source and destination. What is in it is written
 * fast and uncompressed; the commit copies it, which costs less than half of what reading the rows did.
 */
export interface Stage {
  folder: string;
  file: string;
  engine: Engine;
  /** Whether this load is still the one that may commit. */
  isOurs(): Promise<boolean>;
  remove(): Promise<void>;
}

/** Takes over the stage of the same execution, if it has one for the same rows, or starts over. */
export async function openStage(
  live: string,
  output: BulkOutput,
  plan: LoadPlan,
  signal: AbortSignal,
): Promise<Stage> {
  const stages = path.join(path.dirname(live), '.tidemark');
  const folder = path.join(stages, nameOf(live, output));
  await removeForsaken(stages, folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await readClaim(folder);
  if (found !== undefined && found.executionId !== plan.executionId && (await isHeld(folder, found))) {
    refuse(
      `Another execution is loading ${output.schema}.${output.name} at this moment: give each bulk sync a schema of its own`,
    );
  }
  const token = crypto.randomUUID();
  const shape = JSON.stringify([output.columns, output.primaryKey, plan.mode, output.facts ?? null]);
  const { executionId } = plan;
  const goesOn = plan.ranged && found?.executionId === executionId && found.shape === shape;
  let claim: Claim = { executionId, token, rows: `${token}.duckdb`, shape };
  const open = async () => {
    await writeClaim(folder, claim);
    const file = path.join(folder, claim.rows);
    return {
      file,
      engine: await openEngine({ file, scratch: true, canGrow: true, patience, signal }),
    };
  };
  const opened = await (async () => {
    if (!goesOn) return open();
    claim = { ...claim, rows: found.rows };
    return open().catch((error: unknown) => {
      // A worker that was thought dead is not: it keeps its rows, and can commit them no more.
      if (!(error instanceof ConnectionLost) || signal.aborted) throw error;
      claim = { ...claim, rows: `${token}.duckdb` };
      return open();
    });
  })();
  await removeOthers(folder, claim);
  const isOurs = async () => (await readClaim(folder))?.token === token;
  return {
    folder,
    ...opened,
    isOurs,
    async remove() {
      if (await isOurs()) await rm(folder, { recursive: true, force: true });
    },
  };
}

function nameOf(live: string, { schema, name }: BulkTarget): string {
  const text = JSON.stringify([path.basename(live), schema.toLowerCase(), name.toLowerCase()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

async function readClaim(folder: string): Promise<Claim | undefined> {
  const text = await readFile(path.join(folder, 'claim.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Claim);
}

/** As a whole: a reader sees the old claim or the new one. */
async function writeClaim(folder: string, claim: Claim): Promise<void> {
  const partial = path.join(folder, `claim-${claim.token}`);
  await writeFile(partial, JSON.stringify(claim), { mode: 0o600 });
  await rename(partial, path.join(folder, 'claim.json'));
}

/** Whether a process has the staged rows open. */
async function isHeld(folder: string, { rows }: Claim): Promise<boolean> {
  try {
    await (await openEngine({ file: path.join(folder, rows), readOnly: true, ownSql: true })).close();
    return false;
  } catch (error) {
    return error instanceof ConnectionLost;
  }
}

/** Rows of loads that cannot be committed any more. */
async function removeOthers(folder: string, { rows }: Claim): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name === 'claim.json' || name.startsWith(rows)) continue;
    await rm(path.join(folder, name), { force: true });
  }
}

async function removeForsaken(stages: string, except: string): Promise<void> {
  for (const name of await readdir(stages).catch(() => [])) {
    const folder = path.join(stages, name);
    if (folder === except) continue;
    const claim = await readClaim(folder);
    const touched = await stat(claim === undefined ? folder : path.join(folder, claim.rows)).catch(
      () => undefined,
    );
    if (touched === undefined || Date.now() - touched.mtimeMs < forsakenAfter) continue;
    if (claim !== undefined && (await isHeld(folder, claim))) continue;
    await rm(folder, { recursive: true, force: true });
  }
}
