import type { Client } from 'pg';
import { ByteWriter } from '../../lib/byte-writer.ts';
import { behindTab } from '../../lib/copy-text.ts';
import type { TargetDefinition } from '../contract.ts';
import type { Column, Columns } from './model-columns.ts';
import { copyInto } from './model-stage.ts';
import type { Target } from './model-target.ts';

/** The identities of the batch under way, as k. */
const keys = 'pg_temp.tidemark_keys';

/**
 * How a batch of which the target has nothing goes into it: by COPY, where its place and order in the staging table would
 * cost as much again.
 */
export interface Direct {
  /** Once per session. */
  prepare: string;
  /** Says whether the target has any of the identities; undefined where nobody asks. */
  known: string | undefined;
  /** `copy … from stdin`, without the identity unless that is written. */
  insert: string;
  writesKey: boolean;
}

/** Undefined where COPY would do something else than INSERT, or does not know what to do. */
export function directInsert(
  target: Target,
  definition: TargetDefinition,
  { key, mapped, written }: Columns,
): Direct | undefined {
  const { table } = target;
  const { mode, identityFunction = 'Equality' } = definition;
  const inserts = mode === 'append' || mode === 'create' || mode === 'updateOrCreate';
  if (!inserts || identityFunction !== 'Equality' || mapped.length === 0) return undefined;
  if (target.insertsAreAltered || passesRules(target, definition)) return undefined;
  const asks = key !== undefined && mode !== 'append';
  return {
    prepare: asks
      ? `create temporary table if not exists tidemark_keys (k ${key.baseType}) on commit delete rows`
      : '',
    known: asks ? knownStatement(table, key) : undefined,
    insert: `copy ${table} (${written.map(({ name }) => name).join(', ')}) from stdin`,
    writesKey: written.length > mapped.length,
  };
}

/** COPY overrides what is GENERATED ALWAYS, and leaves NULL in columns of domains that refuse it when it does not write them. */
function passesRules({ fields, keptTypes }: Target, definition: TargetDefinition): boolean {
  const written = new Set([definition.identity, ...definition.fields.map((field) => field.target)]);
  return fields.some(({ id, createable, remoteType }) =>
    written.has(id) ? !createable : keptTypes.get(id) !== remoteType,
  );
}

/** Types with an order that no collation has a say in. */
const ordered = /^(smallint|integer|bigint|numeric|uuid|date|timestamp with(out)? time zone)$/;

/** Identities often come in order: where the target has none between the first and the last, none is looked up. */
function knownStatement(table: string, { name, baseType }: Column): string {
  const end = (order: string) => `(select k from ${keys} order by k ${order} limit 1)`;
  const between = `exists (select from ${table} t where t.${name} between ${end('asc')} and ${end('desc')})`;
  return `select from ${keys} b where ${ordered.test(baseType) ? `${between} and` : ''}
    exists (select from ${table} t where t.${name} = b.k) limit 1`;
}

/** Memory that batch after batch is cut up in: nobody may need any more what was written for the one before. */
export class DirectLines {
  readonly keys = new ByteWriter(0);
  readonly rows = new ByteWriter(0);

  /** @param lines as for the staging table. */
  cut(lines: Buffer, { known, writesKey }: Direct): void {
    this.keys.clear();
    this.rows.clear();
    this.rows.reserve(lines.length);
    for (let at = 0; at < lines.length; ) {
      const key = behindTab(lines, at);
      const values = behindTab(lines, key);
      if (known !== undefined) {
        this.keys.copy(lines, key, values - 1);
        this.keys.byte(newline);
      }
      at = lines.indexOf(newline, values) + 1;
      this.rows.copy(lines, writesKey ? key : values, at);
    }
  }
}

const newline = 0x0a;

/** Within the batch's transaction. @returns how many rows were inserted; undefined when the target has some of them. */
export async function insertUnknown(
  client: Client,
  direct: Direct,
  lines: Buffer,
  memory: DirectLines,
  around: { before?: string; after?: string },
): Promise<number | undefined> {
  memory.cut(lines, direct);
  if (direct.known !== undefined) {
    await copyInto(client, `copy ${keys} from stdin`, memory.keys.written());
    if (around.before !== undefined) await client.query(around.before);
    const { rowCount } = await client.query(direct.known);
    if (around.after !== undefined) await client.query(around.after);
    if (rowCount !== 0) return undefined;
  }
  return copyInto(client, direct.insert, memory.rows.written());
}
