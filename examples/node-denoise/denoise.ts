/** node denoise.js SERVER_URL INPUT.dcm OUTPUT.dcm: one slice through a model host that never sees it. */
import { readFile, writeFile } from 'node:fs/promises';
import { createDenoiseClient } from '@cipherdose/sdk';
import { readCtSlice, writeDerivedSlice } from '@cipherdose/sdk/dicom';

const [serverUrl, input, output] = process.argv.slice(2);
if (!serverUrl || !input || !output) {
  console.error('usage: node denoise.js SERVER_URL INPUT.dcm OUTPUT.dcm');
  process.exit(2);
}

const client = createDenoiseClient({ serverUrl });
const model = await client.model('balanced');
const source = readCtSlice(await readFile(input));

const results = client.denoise(source.image, {
  model: model.id,
  digest: model.digest,
  onProgress: ({ phase, layer, layers, tilesDone, tiles }) => {
    if (phase === 'evaluate') console.log(`layer ${layer + 1} of ${layers}, ${tilesDone} of ${tiles} tiles`);
  },
});
for await (const result of results) {
  if (!result.ok) throw result.error;
  const derivation = { model, mode: 'interactive', timestamp: new Date(), softwareVersion: '0.1.0' };
  await writeFile(output, writeDerivedSlice(source, result.image, derivation));
  console.log(`${output}: ${result.statistics.seconds.toFixed(1)} s, ${result.statistics.rounds} rounds`);
}
client.close();
