import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, type BridgeConfig } from '@cipherdose/orthanc-bridge';
import type { TestOrthanc } from './orthanc.ts';

export interface TestBridgeOptions {
  readonly orthanc: Pick<TestOrthanc, 'url' | 'username' | 'password'>;
  readonly hostUrl: string;
  readonly model?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Added to the action of the one rule, which takes every CT series. */
  readonly action?: Readonly<Record<string, unknown>>;
  /** Queue settings, added to those that make tests fast. */
  readonly queue?: Readonly<Record<string, unknown>>;
  readonly watch?: Readonly<Record<string, unknown>>;
}

/** The configuration as a file would hold it. */
export function bridgeSettings(options: TestBridgeOptions): Record<string, unknown> {
  const { url, username, password } = options.orthanc;
  return {
    name: 'test',
    dataFolder: mkdtempSync(join(tmpdir(), 'bridge-')),
    host: { url: options.hostUrl, workers: 1 },
    orthancs: [{ name: 'pacs', url, username, password, timeoutSeconds: 20 }],
    queue: { pollSeconds: 0.5, retryFirstSeconds: 1, retryLongestSeconds: 2, ...options.queue },
    watch: { pollSeconds: 0.3, settleSeconds: 0.3, reconcileMinutes: 0.05, ...options.watch },
    rules: [
      {
        name: 'all',
        match: { modality: 'CT' },
        action: { model: options.model ?? 'tiny', ...options.action },
      },
    ],
    limits: { diskFreeMegabytes: 1 },
    // BRIDGE_LOG=info shows what the bridges of a test do.
    logLevel: process.env['BRIDGE_LOG'] ?? 'silent',
    ...options.settings,
  };
}

export const bridgeConfig = (options: TestBridgeOptions): Promise<BridgeConfig> =>
  parseConfig(JSON.stringify(bridgeSettings(options)), { file: 'test', folder: '.', environment: {} });

/** @returns the path of a file with the configuration. */
export function writeBridgeConfig(options: TestBridgeOptions): string {
  const settings = bridgeSettings(options);
  const file = join(settings['dataFolder'] as string, 'bridge.json');
  writeFileSync(file, JSON.stringify(settings));
  return file;
}
