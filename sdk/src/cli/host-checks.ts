import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Finding } from './finding.ts';

const answerLimitMs = 10_000;
/** Beyond this, certificates and time stamps of derived objects go wrong. */
const skewLimitSeconds = 60;
const expirySoonDays = 14;

/** Whether the host answers and has models, and how far its clock is from ours. */
export async function checkServer(url: string): Promise<readonly Finding[]> {
  const asked = Date.now();
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/readyz`, {
      signal: AbortSignal.timeout(answerLimitMs),
    });
  } catch (error) {
    return [{ name: 'server', status: 'failed', detail: `${url} cannot be reached: ${reasonOf(error)}` }];
  }
  await response.arrayBuffer().catch(() => undefined);
  const ready: Finding = response.ok
    ? { name: 'server', status: 'ok', detail: `${url} is ready` }
    : {
        name: 'server',
        status: 'failed',
        detail: `${url} answers ${response.status} when asked if it is ready`,
      };
  return [ready, checkClock(response.headers.get('date'), (asked + Date.now()) / 2)];
}

/** @param date of the answer; whole seconds @param now milliseconds */
export function checkClock(date: string | null, now: number): Finding {
  const name = 'clock';
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return { name, status: 'skipped', detail: 'the server does not say its time' };
  const skew = Math.round((theirs - now) / 1000);
  if (Math.abs(skew) <= 1) return { name, status: 'ok', detail: 'as the server' };
  const detail = `the server is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}`;
  return { name, status: Math.abs(skew) > skewLimitSeconds ? 'failed' : 'ok', detail };
}

/** Whether the way to the host is protected, and for how long its certificate is valid. */
export async function checkTls(address: string): Promise<Finding> {
  const name = 'TLS';
  const url = new URL(address);
  if (url.protocol === 'http:')
    return isLoopback(url.hostname)
      ? { name, status: 'skipped', detail: 'not needed: the server is on this machine' }
      : {
          name,
          status: 'warning',
          detail: 'none: images stay encrypted, but others can read the API key and change answers',
        };
  const { failure, validTo } = await certificateOf(url);
  if (failure !== undefined) return { name, status: 'failed', detail: failure };
  const days = Math.floor((validTo.getTime() - Date.now()) / 86_400_000);
  const detail = `certificate valid until ${validTo.toISOString().slice(0, 10)}`;
  return { name, status: days < expirySoonDays ? 'warning' : 'ok', detail };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

function certificateOf(url: URL): Promise<{ failure?: string; validTo: Date }> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const fail = (failure: string): void => resolve({ failure, validTo: new Date(0) });
    // The certificate is wanted even where it is not trusted; nothing is sent on this connection.
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(url.port || 443), ...name, rejectUnauthorized: false });
    socket.setTimeout(answerLimitMs, () => socket.destroy(new Error('no answer')));
    socket.once('error', (error) => fail(reasonOf(error)));
    socket.once('secureConnect', () => {
      if (socket.authorized) resolve({ validTo: new Date(socket.getPeerCertificate().valid_to) });
      else fail(`the certificate is not trusted: ${reasonOf(socket.authorizationError)}`);
      socket.destroy();
    });
  });
}

/** fetch hides the reason in its cause. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = error as { cause?: unknown; code?: string; message?: string };
  return cause === undefined ? (code ?? message ?? String(error)) : reasonOf(cause);
}
