import { createDenoiseClient, type DenoiseClient, type Mode, type ModelSummary } from '@cipherdose/sdk';
import type { AdminSettings } from './settings/admin-settings.ts';
import type { UserSettings } from './settings/user-settings.ts';

export interface HostAccess {
  readonly admin: AdminSettings;
  readonly user: UserSettings;
  /** What the user typed. */
  readonly apiKey: string;
  /** The viewer's own Authorization header. */
  readonly authorization: () => string | undefined;
}

/** Address of the model host, absolute. */
export const serverUrl = ({ admin, user }: Pick<HostAccess, 'admin' | 'user'>): string =>
  new URL((admin.allowServerChange && user.serverUrl) || admin.serverUrl, document.baseURI).href;

/** Headers that log in at the host, as they are now. */
export function hostLogin({ admin, apiKey, authorization }: HostAccess): Readonly<Record<string, string>> {
  const { authentication } = admin;
  if (authentication.kind === 'none') return {};
  if (authentication.kind === 'openid') {
    const token = authorization();
    return token === undefined ? {} : { authorization: token };
  }
  const key = apiKey || authentication.apiKey;
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** A client for what is public of a model; it starts no workers. One attempt: its failures are shown at once. */
export function metadataClient(access: HostAccess): DenoiseClient {
  return createDenoiseClient({
    serverUrl: serverUrl(access),
    attempts: 1,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(hostLogin(access))) headers.set(name, value);
      return fetch(input, { ...init, headers });
    },
  });
}

/** The models that the administrator allows, as the host offers them. */
export async function offeredModels(
  access: HostAccess,
  signal: AbortSignal,
): Promise<readonly ModelSummary[]> {
  const { models } = access.admin;
  const offered = await metadataClient(access).models(signal);
  return offered.filter(({ id }) => !models || models.includes(id));
}

export interface ModelChoice {
  readonly model: ModelSummary;
  readonly mode: Mode;
}

/** What the user chose if it is still offered, else what the administrator prefers, else an interactive model. */
export function chooseModel(
  models: readonly ModelSummary[],
  user: UserSettings,
  admin: Pick<AdminSettings, 'defaultModel' | 'defaultMode'>,
): ModelChoice | undefined {
  const model =
    models.find(({ id }) => id === user.model) ??
    models.find(({ id }) => id === admin.defaultModel) ??
    models.find(({ modes }) => modes.includes('interactive')) ??
    models[0];
  if (!model) return undefined;
  const mode =
    [user.mode, admin.defaultMode].find((one) => one && model.modes.includes(one)) ?? model.modes[0];
  return mode && { model, mode };
}
