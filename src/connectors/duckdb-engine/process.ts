/**
 * DuckDB, in a process that `engine-process.ts` starts. It runs SQL that users wrote: what such SQL can crash, fill or
 * block (a thread per statement, of the four that Node has for files and names) is this process. One database is open
 * at a time.
 */
import { rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { messageOf } from '../../errors.ts';
import { literal } from './names.ts';
import type { Answer, DatabaseOptions, DuckType, Request } from './protocol.ts';
import { readMacros } from './read-macros.ts';
import { writeMacros } from './write-macros.ts';

const threads = Math.min(4, availableParallelism());

/** Bytes that a user's SQL may write to the disk. */
const spillLimit = '4GiB';

let database: { instance: DuckDBInstance; connection: DuckDBConnection; folder: string } | undefined;
/** A connection does one thing at a time. */
let last: Promise<unknown> = Promise.resolve();
let waiting = 0;

// Ctrl-C reaches the whole group; the server decides when its executions end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', end);
process.on('message', ({ id, ...request }: Request & { id: number }) => {
  waiting++;
  last = last.then(async () => {
    const answer = await answerTo(request).catch((error: unknown): Answer => ({ error: messageOf(error) }));
    waiting--;
    // Nobody hears it whose process has been killed: what is to be done then, `disconnect` does.
    process.send?.({ id, ...answer }, undefined, undefined, () => {});
  });
});

async function answerTo(request: Request): Promise<Answer> {
  if (request.kind === 'open') {
    database = await open(request.options);
    const reader = await database.connection.runAndReadAll('select current_database()');
    return { database: String(reader.value(0, 0)) };
  }
  if (request.kind === 'close') {
    if (database !== undefined) close(database);
    database = undefined;
    return { closed: true };
  }
  if (database === undefined) throw new Error('no database is open');
  const { connection } = database;
  switch (request.kind) {
    case 'run':
      return { changed: (await connection.run(request.sql)).rowsChanged };
    case 'query': {
      const reader = await connection.runAndReadAll(request.sql, [...request.values]);
      return { rows: reader.getRowObjectsJson() };
    }
    case 'describe': {
      const statement = await connection.prepare(request.sql);
      const columns = Array.from({ length: statement.columnCount }, (_, index) => {
        const type = statement.columnType(index);
        const typeName = type.alias ?? String(type);
        return { name: statement.columnName(index), type: type.toJson() as unknown as DuckType, typeName };
      });
      statement.destroySync();
      return { columns };
    }
  }
}

/**
 * Nothing but the given folders can be reached afterwards: no file, no network, no extension, no setting. Some
 * settings are only known once the database is open.
 */
async function open({ file, readOnly, scratch, ownSql, memory, folders }: DatabaseOptions) {
  const [folder = ''] = folders;
  const instance = await DuckDBInstance.create(file ?? ':memory:', {
    access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: `${Math.floor(memory / 1024)}KiB`,
    threads: String(threads),
    // Sorting by arrival would keep rows in memory until it is their turn.
    preserve_insertion_order: 'false',
    temp_directory: path.join(folder, 'spill'),
    // What a user's SQL sorts and joins must not fill the disk. Ours needs no more than its rows do.
    ...(ownSql ? { max_temp_directory_size: spillLimit } : {}),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
  });
  const connection = await instance.connect();
  // For the next process: this one ends without notice.
  flushCompileCache();
  const allowed = folders.map((name) => literal(`${name}${path.sep}`)).join(', ');
  const statements = [
    `set allowed_directories = [${allowed}]`,
    'set enable_external_access = false',
    `set global TimeZone = 'UTC'`,
    ...(scratch
      ? [`pragma force_compression = 'uncompressed'`, 'pragma disable_checkpoint_on_shutdown']
      : []),
    ...readMacros,
    ...writeMacros,
    ...(ownSql ? [] : ['set lock_configuration = true']),
  ];
  const opened = { instance, connection, folder };
  await connection.run(statements.join(';\n')).catch((error: unknown) => {
    close(opened);
    throw error;
  });
  return opened;
}

/** A file's lock ends with it: nothing that the driver gave is left open. */
function close({ instance, connection }: NonNullable<typeof database>): void {
  connection.closeSync();
  instance.closeSync();
}

/** The engine is closed or its process is dead. A statement that is under way cannot be waited for. */
function end(): void {
  if (waiting === 0 && database !== undefined) close(database);
  if (database !== undefined) rmSync(database.folder, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}
