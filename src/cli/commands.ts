import type { Command } from './command.ts';
import { demo } from './demo/index.ts';
import { listen } from './events/listen.ts';
import { tail } from './events/tail.ts';
import { trigger } from './events/trigger.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { resealKeys } from './reseal.ts';
import { serve } from './serve.ts';
import { worker } from './worker.ts';

/** Every command there is. Help, reading and refusing come from this table. */
export const commands: readonly Command[] = [
  serve,
  worker,
  demo,
  migrateCommand,
  listKeys,
  createKey,
  revokeKey,
  resealKeys,
  tail,
  listen,
  trigger,
];
