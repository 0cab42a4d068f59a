import { type DestinationKind, destinationKinds } from './destinations.ts';
import { dice } from './dice.ts';

/** What is at both ends of a world, and what lies between them and the worker. */
export interface Kind {
  name: string;
  source: 'postgresql' | 'mysql';
  /** How every PostgreSQL of the world is reached; undefined: directly. */
  pooling: 'session' | 'transaction' | undefined;
  destination: DestinationKind;
}

const sources = {
  postgresql: undefined,
  session: 'session',
  transaction: 'transaction',
  mysql: undefined,
} as const;
type SourceName = keyof typeof sources;
const sourceNames = Object.keys(sources) as SourceName[];

function kindOf(source: SourceName, destination: DestinationKind): Kind {
  return {
    name: `${source}>${destination}`,
    source: source === 'mysql' ? 'mysql' : 'postgresql',
    pooling: sources[source],
    destination,
  };
}

/**
 * The kind of a seed: most go where a run costs least.
 *
 * @param only `mysql>s3`, or the one or other of both: `mysql>`, `>s3`.
 */
export function kindOfSeed(seed: number, only = '>'): Kind {
  const dies = dice(seed * 7919);
  const [source = '', destination = ''] = only.split('>');
  known('source', source, sourceNames);
  known('destination', destination, destinationKinds);
  const drawn = {
    source: dies.pick(['postgresql', 'postgresql', 'session', 'transaction', 'mysql', 'mysql'] as const),
    destination: dies.pick([
      ...(['postgresql', 'postgresql', 'postgresql', 'postgresql'] as const),
      ...(['mysql', 'mysql', 'mysql', 's3', 'duckdb'] as const),
    ]),
  };
  return kindOf(
    sourceNames.find((name) => name === source) ?? drawn.source,
    destinationKinds.find((name) => name === destination) ?? drawn.destination,
  );
}

/** Nothing stands for any. A misspelled one would have other worlds played, and called those that were asked for. */
function known(end: string, name: string, names: readonly string[]): void {
  if (name === '' || names.includes(name)) return;
  throw new Error(`--kind: ${JSON.stringify(name)} is no ${end}; there are ${names.join(', ')}`);
}
