import { freeMegabytes } from '../../disk-space.ts';
import type { BridgeConfig } from '../../config/config-schema.ts';
import type { BridgeEvents } from '../../events.ts';
import type { Log } from '../../log.ts';
import { errorFacts } from '../../log.ts';
import { Loop } from '../../loop.ts';
import { AlertWatch } from './alert-watch.ts';
import { AlertWebhook } from './alert-webhook.ts';

export interface AlertTools {
  readonly config: BridgeConfig;
  readonly events: BridgeEvents;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
  readonly paused: () => boolean;
  /** As far as known when this starts. */
  readonly peers: ReadonlyMap<string, boolean>;
  /** Seconds that the oldest waiting job waits. */
  readonly longestWait: () => Promise<number>;
  readonly onSent: (arrived: boolean) => void;
}

const lookSeconds = 20;

/** Tells the webhook of the configuration what goes wrong. @throws FILE_UNREADABLE */
export async function startAlerts(
  tools: AlertTools,
): Promise<{ readonly close: () => Promise<void> } | undefined> {
  const { config, events, log, clock } = tools;
  const { alerts, limits, dataFolder, name } = config;
  if (!alerts) return undefined;
  const onSent = (arrived: boolean): void => {
    tools.onSent(arrived);
    if (!arrived) log.error({}, 'an alert could not be delivered');
  };
  const webhook = await AlertWebhook.create(alerts, { bridge: name, now: tools.now, onSent });
  const watch = new AlertWatch({ ...alerts, diskFreeMegabytes: limits.diskFreeMegabytes });
  events.on('job', (job) => webhook.send(watch.job(job)));
  events.on('peer', (peer, reachable) => webhook.send(watch.peer(peer, reachable, clock())));
  for (const [peer, reachable] of tools.peers) watch.peer(peer, reachable, clock());
  const look = async (): Promise<void> => {
    const longestWaitSeconds = await tools.longestWait().catch(() => 0);
    const free = await freeMegabytes(dataFolder);
    const facts = { clock: clock(), paused: tools.paused(), longestWaitSeconds, freeMegabytes: free };
    webhook.send(watch.look(facts));
  };
  const loop = new Loop(lookSeconds, look, (error) => log.warn(errorFacts(error), 'cannot look for alerts'));
  loop.wake();
  return {
    async close() {
      await loop.stop();
      await webhook.close();
    },
  };
}
