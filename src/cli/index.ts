import { ConfigError } from '../config.ts';
import { messageOf } from '../errors.ts';
import { DataDirectoryInUse } from '../host/index.ts';
import { version } from '../lib/version.ts';
import { demo } from './demo/index.ts';
import { listen } from './events/listen.ts';
import { events } from './events/tail.ts';
import { trigger } from './events/trigger.ts';
import { help } from './help.ts';
import { keys } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { serve } from './serve.ts';
import { worker } from './worker.ts';

export type Environment = Record<string, string | undefined>;

/** A command gets the words after its name; what it returns is the exit code. */
export type Command = (args: string[], environment: Environment) => Promise<number>;

const commands: Record<string, Command> = {
  serve,
  worker,
  demo,
  migrate: migrateCommand,
  keys,
  events,
  listen,
  trigger,
};

/** argv → command. Errors a user can mend are one line; others show where they come from. */
export async function run([name = '', ...args]: string[], environment: Environment): Promise<number> {
  if (name === '' || name === 'help' || name === '--help' || name === '-h') {
    console.log(help());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    console.log(version);
    return 0;
  }
  const command = commands[name];
  if (command === undefined) {
    console.error(`tidemark: there is no command ${name}. "tidemark --help" lists them.`);
    return 2;
  }
  try {
    return await command(args, environment);
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof DataDirectoryInUse;
    console.error(`tidemark ${name}: ${known || !(error instanceof Error) ? messageOf(error) : error.stack}`);
    return 1;
  }
}
