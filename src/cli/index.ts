import { ConfigError, unknownVariables } from '../config.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import { DataDirectoryInUse } from '../host/index.ts';
import { version } from '../lib/version.ts';
import { type Environment, UsageError } from './command.ts';
import { commands } from './commands.ts';
import { help, helpOf } from './help.ts';
import { printableLines } from './printable.ts';
import { readCommand } from './read-command.ts';

/** argv → command → exit code: 0 done, 1 failed, 2 not understood. */
export async function run(argv: string[], environment: Environment): Promise<number> {
  const reading = readCommand(commands, argv);
  switch (reading.kind) {
    case 'help':
      console.log(reading.name === undefined ? help(commands) : helpOf(reading.name, reading.about));
      return 0;
    case 'version':
      console.log(version);
      return 0;
    case 'refused':
      console.error(printableLines(`tidemark${reading.name ? ` ${reading.name}` : ''}: ${reading.reason}`));
      return 2;
    case 'run':
      break;
  }
  const { command, given } = reading;
  // A worker that serve started has its environment from there, where it has been looked at.
  if (given.options.id === undefined)
    for (const line of unknownVariables(environment)) console.error(`tidemark: ${line}`);
  try {
    return await command.run(given, environment);
  } catch (error) {
    console.error(printableLines(`tidemark ${command.name}: ${textOf(error, environment)}`));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** One line for what a user can mend. Only what we did not expect shows where it comes from. */
function textOf(error: unknown, { TIDEMARK_LOG_LEVEL: level }: Environment): string {
  if (!(error instanceof Error)) return messageOf(error);
  if (error instanceof TidemarkError) return `${error.message}. ${error.remedy}`;
  const known = error instanceof ConfigError || error instanceof DataDirectoryInUse;
  // The operating system and PostgreSQL say with a code what they refuse: their words are enough.
  const foreign = 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
  return (known || foreign) && level !== 'debug' ? messageOf(error) : (error.stack ?? messageOf(error));
}
