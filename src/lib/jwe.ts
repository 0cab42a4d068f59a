import { createCipheriv, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

/** OWASP's figure for PBKDF2 with HMAC-SHA-512. It is paid once per key. */
const iterations = 210_000;
const algorithm = 'PBES2-HS512+A256KW';
const wrapIv = Buffer.alloc(8, 0xa6);

/**
 * Encrypts texts with a passphrase to JWE in compact form (RFC 7516, 7518): every language has a library that opens it.
 *
 * Content keys and nonces are made from the text and its context instead of at random: the same text in the same
 * place becomes the same JWE, so that what did not change does not look changed, and nothing else can be learned from
 * two of them. No content key is used for two texts.
 *
 * @param salt 16 bytes.
 */
export async function jweEncrypter(
  passphrase: string,
  salt: Buffer,
): Promise<(context: string, text: string) => string> {
  const header = { alg: algorithm, enc: 'A256GCM', p2s: salt.toString('base64url'), p2c: iterations };
  const protectedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  const aad = Buffer.from(protectedHeader);
  const saltInput = Buffer.concat([Buffer.from(`${algorithm}\0`), salt]);
  const wrappingKey = await promisify(pbkdf2)(passphrase, saltInput, iterations, 32, 'sha512');
  const seedKey = createHmac('sha512', wrappingKey).update('tidemark content keys').digest();
  return (context, text) => {
    const seed = createHmac('sha512', seedKey)
      .update(JSON.stringify([context, text]))
      .digest();
    const [key, nonce] = [seed.subarray(0, 32), seed.subarray(32, 44)];
    const wrap = createCipheriv('id-aes256-wrap', wrappingKey, wrapIv);
    const encryptedKey = Buffer.concat([wrap.update(key), wrap.final()]);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const parts = [encryptedKey, nonce, ciphertext, cipher.getAuthTag()];
    return [protectedHeader, ...parts.map((part) => part.toString('base64url'))].join('.');
  };
}
