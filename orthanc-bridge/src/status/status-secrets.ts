import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AlertConfig } from './alerts/alert-schema.ts';
import { isPasswordHash } from './passwords.ts';
import type { StatusConfig } from './status-schema.ts';

/** How the configuration reads what may stand in a file of its own. */
export interface SecretFiles {
  /** @returns the value, or the first line of the file if one is named. @throws FILE_UNREADABLE */
  secret(value: string | undefined, file: string | undefined): Promise<string | undefined>;
  absolute(file: string | undefined): string | undefined;
}

/** @throws FILE_UNREADABLE, CONFIG_INVALID if a file holds no password hash */
export async function readStatusSecrets(status: StatusConfig, files: SecretFiles): Promise<StatusConfig> {
  const users = status.users.map(async (user, index) => {
    const passwordHash = await files.secret(user.passwordHash, user.passwordHashFile);
    if (!isPasswordHash(passwordHash ?? ''))
      throw new DenoiseError('CONFIG_INVALID', {
        field: `status.users.${index}.passwordHashFile`,
        reason: 'the file holds no hash of hash-password',
      });
    return { ...user, passwordHash };
  });
  const { tls, metricsToken, metricsTokenFile } = status;
  return {
    ...status,
    users: await Promise.all(users),
    metricsToken: await files.secret(metricsToken, metricsTokenFile),
    ...(tls && {
      tls: {
        certFile: files.absolute(tls.certFile) ?? '',
        keyFile: files.absolute(tls.keyFile) ?? '',
      },
    }),
  };
}

/** @throws FILE_UNREADABLE */
export async function readAlertSecrets(alerts: AlertConfig, files: SecretFiles): Promise<AlertConfig> {
  return {
    ...alerts,
    token: await files.secret(alerts.token, alerts.tokenFile),
    caFile: files.absolute(alerts.caFile),
  };
}
