import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { privateHeaderBytes } from '@cipherdose/sdk/private-session';
import { privateNetwork } from '../support/private-network.ts';
import {
  kindOf,
  layerOf,
  PrivateConversation,
  randomImage,
  smallPrivateNetwork,
} from '../support/private-session.ts';

/** Side, kind, slice/layer/piece, bytes of the payload: one slice of 40x30 pixels, three layers. */
const transcript = `
host handshake 0/0/0 89
client handshake 0/0/1 7768
host handshake 0/0/2 19480
client handshake 0/0/3 8216
client publicKey 0/0/0 327696
client open 1/0/0 40
host opened 1/0/0 36
host corrections 1/0/0 210984
host corrections 1/1/0 148520
client frame 1/0/0 442688
client frame 1/1/0 442688
client corrections 1/0/0 87320
client corrections 1/1/0 55576
host frame 1/0/0 160064
host frame 1/1/0 120064
host corrections 1/2/0 46632
client frame 1/2/0 332032
client corrections 1/2/0 7960
host frame 1/2/0 160064
client input 1/0/0 3450
host answer 1/0/0 3450
client activation 1/0/0 54040
host activation 1/0/0 4888
client activation 1/0/0 9496
host activation 1/0/0 15128
client activation 1/0/0 13848
client input 1/1/0 2700
host answer 1/1/0 2025
client activation 1/1/0 45592
host activation 1/1/0 1816
client activation 1/1/0 7960
host activation 1/1/0 15128
client activation 1/1/0 13848
client input 1/2/0 1913
host answer 1/2/0 2550
client activation 1/2/0 8728
host activation 1/2/0 536
client activation 1/2/0 2840
host activation 1/2/0 280
client activation 1/2/0 24
host result 1/2/0 1800
client finished 1/0/0 0
`;
/** SHA-256 of all that was said. */
const digest = '36414a6c904635e7da8b2f78eb564e9cacb3ca8834234df3a3c46922e28111f2';

test('a session with seeded randomness says what it always said', async () => {
  const network = privateNetwork(smallPrivateNetwork);
  const images = [randomImage(40, 30, 1)];
  const conversation = await PrivateConversation.open({ network, images, seed: 9 });
  conversation.run();
  const hash = createHash('sha256');
  const lines = conversation.spoken.map((spoken) => {
    const { from, message } = spoken;
    const kind = kindOf(spoken);
    // SEAL draws the randomness of ciphertexts and keys by itself; all else depends on the seeds.
    hash.update(kind === 'frame' || kind === 'publicKey' ? message.subarray(0, privateHeaderBytes) : message);
    const view = new DataView(message.buffer);
    const place = [view.getUint32(20, true), layerOf(spoken), view.getUint32(24, true)].join('/');
    return `${from} ${kind} ${place} ${String(message.length - privateHeaderBytes)}`;
  });
  conversation.close();
  expect(lines).toEqual(transcript.trim().split('\n'));
  expect(hash.digest('hex')).toBe(digest);
});
