import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('@cipherdose/sdk/package.json') as {
  readonly version: string;
};

/** Version of this package. */
export const packageVersion = manifest.version;
