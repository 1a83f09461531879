import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { existsSync, rmSync } from 'node:fs';
import {
  startBridge,
  verifyAuditTrail,
  type Bridge,
  type BridgeConfig,
  type BridgeParts,
} from '@cipherdose/orthanc-bridge';
import { auditFile } from '#bridge/bridge.js';
import { bridgeConfig, type TestBridgeOptions } from './bridge-config.ts';
import { prepareQueue, removeQueueTemplate, startTinyHost, type TinyHost } from './bridge-fixture.ts';
import { startOrthanc, type OrthancOptions, type TestOrthanc } from './orthanc.ts';

/** What the tests of a file share: one host; Orthancs and bridges end with each test. */
export interface BridgeSuite {
  readonly tiny: TinyHost;
  orthanc(options?: OrthancOptions): Promise<TestOrthanc>;
  /** A bridge in this process with an empty queue; its audit trail is verified at the end. */
  bridge(
    options: Partial<TestBridgeOptions> & Pick<TestBridgeOptions, 'orthanc'>,
    parts?: BridgeParts,
  ): Promise<Bridge>;
  start(config: BridgeConfig, parts?: BridgeParts): Promise<Bridge>;
  atEnd(close: () => Promise<void> | void): void;
}

/** Registers the hooks of jest; call it once at the top of a file. */
export function bridgeSuite(): BridgeSuite {
  let tiny: TinyHost | undefined;
  const closers: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    tiny = await startTinyHost();
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await tiny?.host.close();
    if (tiny) rmSync(tiny.models, { recursive: true });
    removeQueueTemplate();
  });

  const suite: BridgeSuite = {
    get tiny() {
      if (!tiny) throw new Error('the host runs within tests only');
      return tiny;
    },
    async orthanc(options) {
      const orthanc = await startOrthanc(options);
      closers.push(() => orthanc.close());
      return orthanc;
    },
    async bridge(options, parts) {
      const config = await bridgeConfig({ hostUrl: suite.tiny.host.url, ...options });
      return suite.start(config, parts);
    },
    async start(config, parts) {
      if (config.queue.postgres === undefined && !existsSync(`${config.dataFolder}/queue`))
        await prepareQueue(config.dataFolder);
      const bridge = await startBridge(config, parts);
      closers.push(async () => {
        await bridge.close();
        const { brokenAt } = await verifyAuditTrail(auditFile(config.dataFolder));
        expect(brokenAt).toBeUndefined();
      });
      return bridge;
    },
    atEnd: (close) => void closers.push(close),
  };
  return suite;
}
