import type { OpenDependencies } from '../connections/index.ts';
import type { Model } from './model.ts';
import type { RecordSource } from './record-source.ts';

export type SourceDependencies = OpenDependencies;

/** What is to be read: a model, or a draft of one that is not stored. */
export type ReadModel = Pick<Model, 'organizationId' | 'connectionId' | 'configuration'> &
  Partial<Pick<Model, 'id' | 'additionalFields' | 'relations' | 'enricher'>>;

export interface OpenOptions {
  /** Names of the fields that will be asked for. Without it: all of the model's own. */
  wanted?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds that a look may take in a source, where that is not the usual time. */
  lookTimeout?: number | undefined;
  /** Gets what the reader of the records should know, in words for the console log. */
  warn?: ((message: string) => Promise<void>) | undefined;
}

export interface Opening extends OpenOptions {
  deps: SourceDependencies;
  model: ReadModel;
  /** Opens another model, with all of its layers. */
  openOther(model: ReadModel, wanted: readonly string[]): Promise<RecordSource>;
}

/**
 * Adds fields to what the layers below give. One that has nothing to add answers with `below(opening.wanted)`; any
 * other asks `below` for the fields that it needs itself and those that it passes through, and closes it with itself.
 */
export type Layer = (
  opening: Opening,
  below: (wanted: readonly string[] | undefined) => Promise<RecordSource>,
) => Promise<RecordSource>;
