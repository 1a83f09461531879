import pRetry from 'p-retry';
import { fetch } from 'undici';
import { httpAgent } from '../../orthanc/http-agent.ts';
import type { AlertConfig } from './alert-schema.ts';
import type { Alert } from './alert-watch.ts';

/** Body of a message. `text` is what chat programs (Slack, Mattermost, Teams workflows) show. */
export interface AlertMessage {
  readonly text: string;
  readonly bridge: string;
  readonly time: string;
  readonly alerts: readonly Alert[];
  /** How many more there are than are listed. */
  readonly more: number;
}

export interface WebhookTools {
  readonly bridge: string;
  readonly now: () => Date;
  /** Told once for every message: whether it arrived, in the end. */
  readonly onSent: (arrived: boolean) => void;
  /** Milliseconds before the second try; doubles. Default 2000. */
  readonly firstRetryMs?: number;
}

const mostAlerts = 50;
const timeoutMs = 10_000;
const retries = 6;
const outcome = [() => true, () => false] as const;

/** Sends alerts, several in one message; tries again for some minutes, then the message is lost and counted. */
export class AlertWebhook {
  readonly #config: AlertConfig;
  readonly #tools: WebhookTools;
  readonly #agent: Awaited<ReturnType<typeof httpAgent>>;
  readonly #closing = new AbortController();
  #waiting: Alert[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  private constructor(
    config: AlertConfig,
    tools: WebhookTools,
    agent: Awaited<ReturnType<typeof httpAgent>>,
  ) {
    this.#config = config;
    this.#tools = tools;
    this.#agent = agent;
  }

  /** @throws FILE_UNREADABLE if the CA file cannot be read */
  static async create(config: AlertConfig, tools: WebhookTools): Promise<AlertWebhook> {
    const agent = await httpAgent({ caFile: config.caFile, timeoutSeconds: timeoutMs / 1000 });
    return new AlertWebhook(config, tools, agent);
  }

  send(alerts: readonly Alert[]): void {
    if (alerts.length === 0 || this.#closing.signal.aborted) return;
    this.#waiting.push(...alerts);
    this.#timer ??= setTimeout(() => this.#flush(), this.#config.groupSeconds * 1000);
  }

  /** Gives what waits one more try. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#flush();
    await this.#sending;
    await this.#agent.destroy();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const alerts = this.#waiting.splice(0);
    if (alerts.length === 0) return;
    const message = composeMessage(alerts, this.#tools.bridge, this.#tools.now());
    this.#sending = this.#sending.then(async () => {
      this.#tools.onSent(await this.#deliver(message));
    });
  }

  async #deliver(message: AlertMessage): Promise<boolean> {
    const { signal } = this.#closing;
    try {
      await pRetry(() => this.#post(message), {
        ...{ retries, minTimeout: this.#tools.firstRetryMs ?? 2000, signal },
      });
      return true;
    } catch {
      return signal.aborted && this.#post(message).then(...outcome);
    }
  }

  async #post(message: AlertMessage): Promise<void> {
    const { url, token } = this.#config;
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      dispatcher: this.#agent,
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  }
}

/** @param alerts at least one */
export function composeMessage(alerts: readonly Alert[], bridge: string, now: Date): AlertMessage {
  const listed = alerts.slice(0, mostAlerts);
  const more = alerts.length - listed.length;
  const lines = [
    ...listed.map(({ text }) => `${bridge}: ${text}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  return { text: lines.join('\n'), bridge, time: now.toISOString(), alerts: listed, more };
}
