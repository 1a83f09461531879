import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** scrypt with 32 MB: RFC 7914, cost as OWASP's Password Storage Cheat Sheet has it. */
const cost = { N: 2 ** 15, r: 8, p: 3 };
const keyBytes = 32;
const form = /^scrypt:(\d{1,8}):(\d{1,2}):(\d{1,2}):([\w-]{16,64}):([\w-]{43})$/;
/** Largest memory that a hash from the configuration may ask for, bytes. */
const mostMemory = 256 * 2 ** 20;

/** @returns `scrypt:N:r:p:salt:key`, salt and key in base64url: nothing that YAML or a shell would change. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

/** Whether a text is a hash of {@link hashPassword}, with a cost that this machine can be asked for. */
export const isPasswordHash = (text: string): boolean => parse(text) !== undefined;

/** @returns false also for a text that is no hash; takes as long as for one. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const { salt, key, ...parameters } = parse(hash) ?? { ...cost, salt: randomBytes(16), key: undefined };
  const derived = await derive(password, salt, parameters);
  return key !== undefined && timingSafeEqual(derived, key);
}

interface Parameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

function parse(text: string): (Parameters & { readonly salt: Buffer; readonly key: Buffer }) | undefined {
  const [, n, r, p, salt, key] = form.exec(text) ?? [];
  if (salt === undefined || key === undefined) return undefined;
  const parameters = { N: Number(n), r: Number(r), p: Number(p) };
  const { N } = parameters;
  const powerOfTwo = N > 1 && (N & (N - 1)) === 0;
  if (!powerOfTwo || parameters.r < 1 || parameters.p < 1 || memoryOf(parameters) > mostMemory)
    return undefined;
  return { ...parameters, salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url') };
}

const memoryOf = ({ N, r, p }: Parameters): number => 128 * r * (N + p);

function derive(password: string, salt: Buffer, { N, r, p }: Parameters): Promise<Buffer> {
  const options = { N, r, p, maxmem: 2 * memoryOf({ N, r, p }) };
  return new Promise((resolve, reject) => {
    // The same characters typed on another keyboard shall give the same bytes.
    scrypt(password.normalize('NFC'), salt, keyBytes, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
