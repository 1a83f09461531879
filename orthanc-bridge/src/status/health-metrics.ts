import { Counter, Gauge, type Registry } from 'prom-client';
import { freeMegabytes } from '../disk-space.ts';
import { packageVersion } from '../package-version.ts';

export interface HealthSources {
  readonly dataFolder: string;
  readonly diskFreeMegabytes: number;
  readonly paused: () => boolean;
  /** Seconds that the oldest waiting job waits. */
  readonly longestWait: () => Promise<number>;
}

/** What tells whether a bridge can work. @returns counts a message of the alert webhook */
export function addHealthMetrics(registry: Registry, sources: HealthSources): (arrived: boolean) => void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name: `cipherdose_bridge_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  };
  const megabyte = 2 ** 20;
  gauge('disk_free_bytes', 'Room on the disk of the data folder', async () => {
    return (await freeMegabytes(sources.dataFolder)) * megabyte;
  });
  gauge('disk_watermark_bytes', 'No series starts while there is less room than this', () => {
    return sources.diskFreeMegabytes * megabyte;
  });
  gauge('paused', 'Whether the bridge is paused', () => (sources.paused() ? 1 : 0));
  gauge('longest_wait_seconds', 'How long the oldest waiting series waits', sources.longestWait);
  const info = { name: 'cipherdose_bridge_info', help: 'Version of the bridge', labelNames: ['version'] };
  new Gauge({ ...info, registers: [registry] }).set({ version: packageVersion }, 1);
  const alerts = new Counter({
    name: 'cipherdose_bridge_alert_messages_total',
    help: 'Messages to the alert webhook by outcome',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return (arrived) => alerts.inc({ outcome: arrived ? 'delivered' : 'lost' });
}
