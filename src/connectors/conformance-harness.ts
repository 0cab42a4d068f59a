import type { JsonObject } from '../lib/json.ts';
import type { ModelSyncMode, Session } from './contract.ts';

/** What is claimed, and so tested. A part that is not claimed gets no test; one that is must be there. */
export interface Claims {
  source: boolean;
  modes: readonly ModelSyncMode[];
  /** The destination looks at identities, refuses bad values, and can tell what became of a batch. */
  transactional: boolean;
}

/** A system under test, and the ways to look at it that do not go through the connector. */
export interface ConnectorHarness {
  configuration: JsonObject;
  /** The organization's folder, for a connector of local files. */
  folder?: string;
  /** A configuration of the same shape that cannot work. Undefined: this connector cannot tell. */
  broken?: JsonObject;
  source?: {
    /** A schema with the fields id, name and note, a key on id, and the three records of `records`. */
    schemaId: string;
    /** The system knows no keys. */
    keyless?: true;
    /** The model configuration that reads it. */
    model: JsonObject;
    /** A model configuration that selects nothing. Undefined: an empty one. */
    nothing?: JsonObject;
    /** Changes the name of one record. */
    rename(id: string, name: string): Promise<void>;
  };
  destination?: {
    object: string;
    /** `target.configuration` of a sync, where it needs one. */
    configuration?: JsonObject;
    /** Target field that identifies a record; undefined for destinations that do not look at it. */
    identity?: string;
    /** It takes whole records, of which the identity is the first field. */
    wholeRecords?: true;
    /** Target fields for name and note. */
    fields: { name: string; note: string };
    /** A value that the destination refuses as a name. Undefined: it takes everything. */
    refusedName?: string;
    /** What it holds, by identity. */
    contents(): Promise<Map<string, { name: string | null; note: string | null }>>;
    clear(): Promise<void>;
  };
  close(): Promise<void>;
}

/** What the harness's source holds: null is not empty, and neither is a backslash, a tab or an emoji. */
export const records = [
  { id: '1', name: 'Zoë 🌊', note: null },
  { id: '2', name: '', note: 'tab\tnewline\nback\\slash' },
  { id: '9007199254740993', name: '{"quoted", NULL}', note: '\\N' },
] as const;

export type Subject = () => { harness: ConnectorHarness; session: Session };
