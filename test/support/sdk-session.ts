import type { HuImage } from '@cipherdose/sdk/image';
import { PrivateReader } from '@cipherdose/sdk/private-session';
import { parameterSet } from '@cipherdose/sdk/protocol';
import { TwoPartyKernel } from '@cipherdose/sdk/two-party';
import { loadSeal, ZeroEncryptor } from '@cipherdose/sdk/zero-encryption';
import { SealCipher } from '#sdk/he/index.js';
import { PrivateSession } from '#sdk/worker/private-session.js';
import { ZeroPool } from '#server/evaluator/zero-pool.js';
import type { IntegerNetwork } from '#server/network/integer-network.js';
import { HostSession } from '#server/private/host-session.js';
import { evaluationContext } from './encrypted-layers.ts';
import type { PrivateSpoken } from './private-session.ts';
import { seededSource } from './two-party.ts';

/**
 * One slice by the SDK's own session and the host's, in one thread.
 * @param seed of the randomness of both; that of SEAL is SEAL's own
 * @returns the result, and all that was said
 */
export async function spokenBySdk(
  network: IntegerNetwork,
  image: HuImage,
  seed: number,
): Promise<{ result: HuImage; spoken: readonly PrivateSpoken[] }> {
  const seal = await loadSeal();
  const { plan } = network;
  const set = parameterSet(plan.parameterSet);
  const spoken: PrivateSpoken[] = [];
  let zeros: ZeroPool | undefined;
  let result: HuImage | undefined;
  const ignore = (): void => undefined;
  const host = new HostSession(
    {
      context: evaluationContext(network),
      kernel: new TwoPartyKernel(),
      random: seededSource(2 * seed),
      slices: 1,
      openZeros: (session, key) => (zeros = new ZeroPool(new ZeroEncryptor(seal, set, session, key), 4)),
    },
    {
      send: (message) => spoken.push({ from: 'host', message }),
      sliceAsked: ({ slice }) => host.grant(slice, { ticket: new Uint8Array(32).fill(1) }),
      sliceStarted: ignore,
      layerReached: ignore,
      sliceFinished: ignore,
    },
  );
  const cipher = new SealCipher(seal, set);
  const client = new PrivateSession(
    { plan, cipher, kernel: new TwoPartyKernel(), random: seededSource(2 * seed + 1) },
    {
      send: ({ bytes }) => spoken.push({ from: 'client', message: bytes }),
      tell: (event) => {
        if (event.kind === 'ready') client.open(1, image);
        if (event.kind === 'prepared') client.run(1, image);
        if (event.kind === 'finished') result = event.image;
      },
    },
  );
  const reader = new PrivateReader();
  // What comes of a message is said behind it, so this goes on until nothing more is said.
  for (const { from, message } of spoken) {
    if (from === 'client') host.take(host.read(message));
    else client.receive(reader.read(message));
  }
  client.drop();
  host.drop();
  cipher.dispose();
  zeros?.[Symbol.dispose]();
  if (!result) throw new Error('the slice did not end');
  return { result, spoken };
}
