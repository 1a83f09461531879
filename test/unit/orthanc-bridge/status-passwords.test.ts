import { describe, expect, test } from '@jest/globals';
import { hashPassword, isPasswordHash, verifyPassword } from '#bridge/status/passwords.js';

// RFC 7914 section 12: scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1), its first 32 bytes.
const key = '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2';
const parts = [Buffer.from('SodiumChloride'), Buffer.from(key, 'hex')].map((part) =>
  part.toString('base64url'),
);
const rfcHash = `scrypt:16384:8:1:${parts.join(':')}`;

describe('passwords', () => {
  test('are checked as RFC 7914 says', async () => {
    expect(await verifyPassword('pleaseletmein', rfcHash)).toBe(true);
    expect(await verifyPassword('pleaseletmeim', rfcHash)).toBe(false);
  });

  test('get another salt each time, and nothing that YAML or a shell would change', async () => {
    const [first, second] = await Promise.all([hashPassword('päss word'), hashPassword('päss word')]);
    expect(first).not.toBe(second);
    expect(first).toMatch(/^[\w:-]+$/);
    expect(await verifyPassword('päss word', first)).toBe(true);
    expect(await verifyPassword('päss word'.normalize('NFD'), second)).toBe(true);
    expect(await verifyPassword('pass word', first)).toBe(false);
  });

  test.each([
    ['', 'nothing'],
    ['correct horse', 'a password itself'],
    [rfcHash.slice(0, -1), 'cut'],
    [rfcHash.replace('16384', '16383'), 'a cost that is no power of two'],
    [rfcHash.replace('16384', '67108864'), 'more memory than a machine has'],
    [rfcHash.replace(':8:', ':0:'), 'no blocks'],
  ])('%s is no hash: %s', async (text) => {
    expect(isPasswordHash(text)).toBe(false);
    expect(await verifyPassword('pleaseletmein', text)).toBe(false);
  });
});
