/**
 * Writes docs/events.md (every event type, every field, an example) and webhook/events.d.mts (the same as
 * types), from the schemas of the payloads. `--check` compares instead.
 */
import path from 'node:path';
import { eventTypes, sampleEvent } from '../src/events/index.ts';
import { eventPayloads } from '../src/schema/event-payloads.ts';
import { writeOrCheck } from './write-or-check.ts';

interface Member {
  type?: string;
  format?: string;
  anyOf?: unknown[];
  description: string;
}

const root = path.join(import.meta.dirname, '..');
const happens: Record<string, string> = {
  running: 'An execution has begun to run.',
  completed: 'An execution has ended well.',
  completed_with_errors: 'An execution has ended; some records were refused.',
  completed_with_error: 'An execution has ended; some tables failed.',
  failed: 'An execution has failed.',
  canceled: 'An execution was canceled.',
};

const membersOf = (type: (typeof eventTypes)[number]) =>
  Object.entries(eventPayloads[type].properties) as unknown as [string, Member][];
const wordOf = ({ type, format, anyOf }: Member) =>
  anyOf === undefined ? (format === 'uuid' ? 'uuid' : (type ?? '')) : 'array of URLs, or null';
const typeOf = ({ type, anyOf }: Member) =>
  anyOf === undefined ? (type === 'integer' ? 'number' : 'string') : 'string[] | null';

const sections = eventTypes.map((type) => {
  const [kind, what = ''] = type.split('.');
  const rows = membersOf(type).map(
    ([name, member]) => `| \`${name}\` | ${wordOf(member)} | ${member.description} |`,
  );
  return `## ${type}

${happens[what]} (${kind === 'sync' ? 'Model syncs' : 'Bulk syncs'}.)

| member | type | |
|---|---|---|
${rows.join('\n')}

\`\`\`json
${JSON.stringify({ type, event: sampleEvent(type) }, null, 2)}
\`\`\`
`;
});

await writeOrCheck(
  path.join(root, 'docs/events.md'),
  `# Events

Generated from \`src/schema/event-payloads.ts\`; do not edit.

Every change of an execution's state appends one event, in the transaction that makes the change. There are ten types.
Each has exactly the members below, always. A webhook receives \`{"type": …, "event": …}\`; \`GET /api/events\` lists
\`{"id", "organization_id", "type", "created_at", "event"}\`. See [webhooks.md](webhooks.md) for receiving them and
[event-stream.md](event-stream.md) for reading the log.

${sections.join('\n')}`,
);

const name = (type: string) =>
  `${type.replaceAll(/(^|[._])(\w)/g, (_, _dot, letter: string) => letter.toUpperCase())}Event`;
const interfaces = eventTypes.map((type) => {
  const members = membersOf(type).map(
    ([key, member]) => `  /** ${member.description} */\n  ${key}: ${typeOf(member)};`,
  );
  return `export interface ${name(type)} {\n${members.join('\n')}\n}\n`;
});
const union = eventTypes.map((type) => `  | { type: '${type}'; event: ${name(type)} }`);

await writeOrCheck(
  path.join(root, 'webhook/events.d.mts'),
  `// Generated from src/schema/event-payloads.ts; do not edit.

${interfaces.join('\n')}
/** The body of a webhook. */
export type WebhookEvent =
${union.join('\n')};
`,
);
