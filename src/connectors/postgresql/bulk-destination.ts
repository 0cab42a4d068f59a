import type { BulkDestination, WireFormat } from '../contract.ts';
import { tableOptions } from '../table-options.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { rangedLoad } from './bulk-ranged-load.ts';
import type { Connect } from './bulk-source.ts';
import { findStanding } from './bulk-standing.ts';
import { wholeLoad } from './bulk-whole-load.ts';
import { knownCharacters } from './encodings.ts';
import { serverEncoding } from './transaction.ts';
import { withReader } from './with-client.ts';

const [all, textAlone]: WireFormat[][] = [['pg-binary', 'copy-text'], ['copy-text']];

export function bulkDestination(connect: Connect): BulkDestination {
  let encoding: string | undefined;
  const learnEncoding = async () => {
    encoding ??= await withReader(connect, 'tidemark encoding', async (client) => serverEncoding(client));
  };
  return {
    // Known once a position was asked for or a load begun. Characters that a server lacks are only replaced in text.
    get formats() {
      return (knownCharacters(encoding ?? '') === undefined ? all : textAlone) ?? [];
    },
    options: tableOptions('public'),
    async standing(target) {
      try {
        return await withReader(connect, 'tidemark position', (client) => {
          encoding = serverEncoding(client);
          return findStanding(client, target);
        });
      } catch (error) {
        throw lostOrRefused(error);
      }
    },
    async load(output, plan) {
      await learnEncoding().catch((error: unknown) => {
        throw lostOrRefused(error);
      });
      return (plan.ranged ? rangedLoad : wholeLoad)(connect, output, plan);
    },
  };
}
