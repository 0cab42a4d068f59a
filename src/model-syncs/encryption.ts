import { randomBytes } from 'node:crypto';
import { type TargetField, takesRecords } from '../connectors/index.ts';
import { unprocessable } from '../errors.ts';
import { jweEncrypter } from '../lib/jwe.ts';
import type { KeyRing } from '../lib/seal.ts';
import type { RecordSource } from '../models/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { Definition, ModelSync } from './model-sync.ts';
import type { Column } from './task.ts';

/** With what the encrypted fields of a sync are encrypted. */
export interface Encryption {
  /** In base64. Another passphrase comes with another salt: it is what tells that all values are to be sent anew. */
  salt: string;
  /** Sealed with the key ring. */
  passphrase: Buffer;
}

/** The passphrase that is sent, or else the one that is stored: clients cannot read it to send it again. */
export function draftEncryption(
  keyRing: KeyRing,
  request: Pick<ModelSyncRequest, 'encryption_passphrase'>,
  fields: Definition['fields'],
  stored: ModelSync['encryption'],
): Encryption | null {
  const encrypted = fields.findIndex((field) => field.encrypted);
  if (encrypted < 0) return null;
  const passphrase = request.encryption_passphrase;
  if (stored !== null && (!passphrase || isPassphrase(passphrase, stored, keyRing))) return stored;
  if (!passphrase) {
    throw unprocessable('encryption_passphrase', `is needed: fields.${encrypted} is to be encrypted`);
  }
  return {
    salt: randomBytes(16).toString('base64'),
    passphrase: keyRing.seal(passphrase),
  };
}

export function checkEncrypted({ fields, identity }: Definition, targets: readonly TargetField[]): void {
  const known = new Map(targets.map((one) => [one.id, one]));
  const whole = takesRecords(targets);
  for (const [index, { field, target, encrypted }] of fields.entries()) {
    if (!encrypted) continue;
    const place = `fields.${index}.encryption_enabled`;
    if (field === undefined) throw unprocessable(place, 'a constant is the same for all, and not encrypted');
    if (field === identity?.field) {
      throw unprocessable(place, `${field} is the identity, by which records are found, and not encrypted`);
    }
    const written = known.get(target);
    if (!whole && written !== undefined && !isEncryptable(written)) {
      throw unprocessable(place, `${target} is of type ${written.remoteType}; an encrypted value is text`);
    }
  }
}

export function isEncryptable({ type, remoteType }: TargetField): boolean {
  return type === 'string' && /text|char|string/i.test(remoteType);
}

/** The records with their values as `columns` want them. Whether they have changed is said by what the source has. */
export async function encrypting(
  source: RecordSource,
  columns: readonly Column[] | undefined,
  encryption: Encryption | null,
  keyRing: KeyRing,
): Promise<RecordSource> {
  if (columns === undefined || encryption === null) return source;
  const encrypt = await jweEncrypter(
    passphraseOf(encryption, keyRing),
    Buffer.from(encryption.salt, 'base64'),
  );
  return {
    ...source,
    async *records(query, keys) {
      const places = columns.map(({ field }) => query.fields.indexOf(field));
      for await (const batch of source.records(query, keys)) {
        yield batch.map(({ values, ...record }) => ({
          ...record,
          values: columns.map(({ field, encrypted }, index) => {
            const value = values[places[index] ?? -1] ?? null;
            return encrypted && value !== null ? encrypt(`${field}\n${record.key}`, value) : value;
          }),
        }));
      }
    },
  };
}

/** One that cannot be opened any more, because its key is gone, can still be replaced. */
function isPassphrase(given: string, stored: Encryption, keyRing: KeyRing): boolean {
  try {
    return passphraseOf(stored, keyRing) === given;
  } catch {
    return false;
  }
}

function passphraseOf({ passphrase }: Encryption, keyRing: KeyRing): string {
  return keyRing.open(passphrase);
}
