/** A request that the bridge refused, in its words. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Told when the bridge asks for a login. */
let onLoginNeeded: () => void = () => undefined;
export const whenLoginNeeded = (listener: () => void): void => void (onLoginNeeded = listener);

/** @throws Refusal, TypeError if the bridge cannot be reached */
export const get = <T>(path: string): Promise<T> => ask<T>(path, {});

/** @throws Refusal, TypeError if the bridge cannot be reached */
export const post = <T = void>(path: string, body?: unknown): Promise<T> =>
  ask<T>(path, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(path, init);
  if (answer.status === 204) return undefined as T;
  const body = (await answer.json().catch(() => undefined)) as unknown;
  if (answer.ok) return body as T;
  const { error } = Object(body) as { error?: { code: string; message: string } };
  if (error?.code === 'LOGIN_NEEDED') onLoginNeeded();
  throw new Refusal(answer.status, error?.code ?? 'UNKNOWN', error?.message ?? `Status ${answer.status}`);
}
