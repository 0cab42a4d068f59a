import { decodeCopyText } from '../../lib/copy-text.ts';
import type { ModelReplacement, TargetDefinition } from '../contract.ts';
import { literal } from '../duckdb-engine/index.ts';
import type { Database } from './database.ts';
import { batchOutcome, noteCommitted, refusedOr } from './model-batches.ts';
import { openCollected } from './model-collected.ts';
import { modelColumns } from './model-columns.ts';
import type { Target } from './model-destination.ts';
import { withRecords } from './model-replacement-search.ts';
import { replacementChanges } from './model-replacement-statements.ts';

const batchSize = 10_000;

/** Of the attached file with the records. */
const attached = '_tidemark_collected';
const tables = {
  collected: `${attached}.main.collected`,
  kept: `${attached}.main.kept`,
  changed: 'temp.main.tm_changed',
};

/** Collects the records in a file of their own. Then one transaction deletes, updates and inserts what differs. */
export async function modelReplacement(
  database: Database,
  target: Target,
  definition: TargetDefinition,
  refused: ReadonlyMap<string, string> = new Map(),
): Promise<ModelReplacement> {
  const columns = modelColumns(target, definition);
  const { key, mapped } = columns;
  const changes = replacementChanges(target, columns, tables);
  const collected = await openCollected(target, columns, database.signal, refused);
  return {
    batchSize,
    fields: definition.fields.map(
      ({ target: id, source }) => target.fields.find((one) => one.id === id) ?? source,
    ),
    async add(records) {
      await collected.add(records).catch((error: unknown) => {
        throw refusedOr(error);
      });
      return [];
    },
    async replace(kept, replaced, prepared) {
      try {
        for await (const keys of kept) await collected.keep(keys);
        await collected.close();
        const engine = await database.writer({ folders: [collected.folder], memory: collected.memory });
        try {
          await engine.run(`attach ${literal(collected.file)} as ${attached} (read_only)`);
          await engine.run('begin transaction');
          for (const { status, rows, statements } of changes) {
            await engine.run(`create or replace temp table tm_changed as ${rows}`);
            const read = [...(key === undefined ? [] : [key]), ...mapped].map(({ column }) => column);
            for await (const batch of decodeCopyText(engine.read({ columns: read, from: tables.changed }))) {
              await replaced(
                batch.map((texts) =>
                  key === undefined
                    ? { status, key: null, values: texts }
                    : { status, key: texts[0] ?? null, values: texts.slice(1) },
                ),
              );
            }
            for (const statement of statements) await engine.run(statement);
          }
          const token = crypto.randomUUID();
          await noteCommitted(engine, token);
          await prepared(token);
          await engine.run('commit');
        } catch (error) {
          throw await withRecords(engine, key, changes, tables, refusedOr(error));
        } finally {
          // What is not committed is rolled back.
          await engine.close();
        }
      } catch (error) {
        throw refusedOr(error);
      } finally {
        await collected.remove();
      }
    },
    outcome: (token) => batchOutcome(database, token),
  };
}
