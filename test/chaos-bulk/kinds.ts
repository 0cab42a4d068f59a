import { type DestinationKind, destinationKinds } from './destinations.ts';
import { type Dice, dice } from './dice.ts';

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

function kindOf(source: SourceName, destination: DestinationKind): Kind {
  const pooling = sources[source];
  return {
    name: `${source}>${destination}`,
    source: source === 'mysql' ? 'mysql' : 'postgresql',
    pooling,
    destination,
  };
}

/**
 * The kind of a seed: most go where a run costs least.
 *
 * @param only `mysql>s3`, or the one or other of both: `mysql>`, `>s3`.
 */
export function kindOfSeed(seed: number, only = '>'): Kind {
  const dies: Dice = dice(seed * 7919);
  const [source, destination] = only.split('>');
  const drawn = kindOf(
    dies.pick(['postgresql', 'postgresql', 'session', 'transaction', 'mysql', 'mysql']),
    dies.pick([
      'postgresql',
      'postgresql',
      'postgresql',
      'postgresql',
      'mysql',
      'mysql',
      'mysql',
      's3',
      'duckdb',
    ]),
  );
  const named = Object.keys(sources).find((name) => name === source) as SourceName | undefined;
  return kindOf(
    named ?? (drawn.name.split('>')[0] as SourceName),
    destinationKinds.find((name) => name === destination) ?? drawn.destination,
  );
}
