import { configTable } from '../config.ts';
import { version } from '../lib/version.ts';

export const commandHelp = [
  ['serve', 'The server: HTTP API and workers, with an embedded PostgreSQL unless DATABASE_URL is set.'],
  ['worker', 'One more worker process on the same database.'],
  ['demo', 'The main job on sample databases. --once stops after the summary.'],
  ['migrate', 'Brings the database up to date and exits; serve does so too.'],
  ['keys', 'Lists users, or makes an API key: keys create <e-mail>.'],
  ['events', 'events tail [--type <type>] [--since <time>] [--json]: events as they happen.'],
  ['listen', 'listen --forward-to <url> [--secret <secret>]: events, signed, to a local endpoint.'],
  ['trigger', 'trigger <type> [--forward-to <url>]: a sample event to the webhook or the URL.'],
] as const;

export function help(): string {
  const commands = commandHelp.map(([name, text]) => `  ${name.padEnd(9)} ${text}`);
  const variables = configTable.map((setting) => {
    const fallback =
      setting.default === undefined || setting.default === '' ? '' : ` Default: ${setting.default}.`;
    return `  ${setting.variable}\n      ${setting.description}\n      Takes ${setting.takes}.${fallback}`;
  });
  return `Tidemark ${version}: a self-hosted data-sync server.

Usage: tidemark <command>

${commands.join('\n')}

Environment:
${variables.join('\n')}
`;
}
