import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';

/** Whether something was changed for good, or may have been. */
export interface Commits {
  happened: boolean;
}

const watching = new AsyncLocalStorage<Commits>();

/** Notes in `commits` whether what `work` does, and what follows from it, commits a change. */
export function watchCommits(commits: Commits, work: () => void): void {
  watching.run(commits, work);
}

const changes = /\b(insert|update|delete|merge)\b/i;

/** Makes a new connection tell of its commits: of transactions that changed something, and of statements on their own. */
export function tellOfCommits(client: pg.PoolClient): void {
  // Looked up with each call: what is changed about all connections holds for this one, too.
  const own = Object.getPrototypeOf(client) as { query(...given: unknown[]): unknown };
  let transaction: { changed: boolean } | undefined;
  const done = (commits: Commits, text: string, { command }: pg.QueryResult) => {
    if (/^(BEGIN|START)/.test(command)) transaction = { changed: false };
    else if (command === 'COMMIT' || command === 'ROLLBACK') {
      if (command === 'COMMIT' && transaction?.changed) commits.happened = true;
      transaction = undefined;
    } else if (!changes.test(text)) return;
    else if (transaction === undefined) commits.happened = true;
    else transaction.changed = true;
  };
  Object.assign(client, {
    query(...given: unknown[]) {
      const answer = own.query.apply(client, given);
      const commits = watching.getStore();
      if (commits === undefined || !(answer instanceof Promise)) return answer;
      const [first] = given;
      const text = typeof first === 'string' ? first : (first as { text: string }).text;
      return answer.then(
        (result: pg.QueryResult | pg.QueryResult[]) => {
          for (const one of [result].flat()) done(commits, text, one);
          return result;
        },
        (error: unknown) => {
          // Without an answer it may have been done. What the server refuses it has taken back.
          const inDoubt =
            transaction === undefined ? changes.test(text) : transaction.changed && /^commit\b/i.test(text);
          if (inDoubt && !(error instanceof pg.DatabaseError)) commits.happened = true;
          throw error;
        },
      );
    },
  });
}
