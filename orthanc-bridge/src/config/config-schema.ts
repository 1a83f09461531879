import { hostname } from 'node:os';
import { z } from 'zod';
import { ruleSchema } from '../rules/rule-schema.ts';
import { alertSchema } from '../status/alerts/alert-schema.ts';
import { statusSchema } from '../status/status-schema.ts';

const webAddress = z
  .string()
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    message: 'is not an http or https address',
  });
const name = z
  .string()
  .regex(/^[\w.-]{1,64}$/, { message: 'is not 1 to 64 letters, digits, dots or dashes' });
const path = z.string().min(1);
const seconds = z.number().min(0.1).max(86_400);

/** A service that series are read from or written to, and how to log in there. */
const serviceShape = {
  name,
  url: webAddress,
  username: z.string().min(1).optional(),
  password: z.string().optional(),
  /** File whose first line is the password. */
  passwordFile: path.optional(),
  /** PEM certificates to trust instead of the system's. */
  caFile: path.optional(),
  /** Longest wait for one answer. */
  timeoutSeconds: seconds.default(60),
};

const orthancSchema = z.strictObject({
  ...serviceShape,
  /** Where people look at a study; `{study}` becomes its StudyInstanceUID. */
  viewerUrl: z.string().min(1).optional(),
});

/** An archive that derived series can be written to by STOW-RS; `/studies` follows its address. */
const dicomwebSchema = z.strictObject(serviceShape);

const hostSchema = z.strictObject({
  url: webAddress,
  apiKey: z.string().min(1).optional(),
  apiKeyFile: path.optional(),
  caFile: path.optional(),
  timeoutSeconds: seconds.default(60),
  /** Encryption workers; default: as many as processors, at most 4. */
  workers: z.int().min(1).max(64).optional(),
  /** Slices of one series under way at once. */
  slicesInFlight: z.int().min(1).max(16).default(3),
});

const queueSchema = z.strictObject({
  /** PostgreSQL connection string; without it an embedded database in the data folder is used. */
  postgres: z
    .string()
    .regex(/^postgres(ql)?:\/\//, { message: 'is not a postgres:// address' })
    .optional(),
  postgresFile: path.optional(),
  /** Series under way at once. */
  concurrency: z.int().min(1).max(16).default(1),
  pollSeconds: z.number().min(0.5).max(60).default(2),
  /** Wait after the first failed attempt; doubles, with jitter, up to `longestSeconds`. */
  retryFirstSeconds: z.int().min(1).max(3600).default(5),
  retryLongestSeconds: z.int().min(1).max(86_400).default(300),
  /** Attempts for failures that are not an outage; outages of the host, Orthanc or a disk are waited out. */
  attempts: z.int().min(1).max(100).default(5),
  /** A worker that is silent for this long has lost its job. PostgreSQL only. */
  heartbeatSeconds: z.int().min(10).max(3600).default(60),
});

const watchSchema = z.strictObject({
  pollSeconds: seconds.default(2),
  /** A stable series is taken when it has not grown for this long. */
  settleSeconds: z.number().min(0).max(3600).default(5),
  /** Every so often all series are compared with what was seen, in case an event was lost. */
  reconcileMinutes: z.number().min(0.05).max(1440).default(15),
  /** Also take series that were there before the bridge first started. */
  backfill: z.boolean().default(false),
});

/** Everything that can be set on a bridge. */
export const bridgeConfigSchema = z.strictObject({
  /** Tells bridges on one PostgreSQL apart; must not change while jobs run. */
  name: name.default(
    () =>
      hostname()
        .replace(/[^\w.-]/g, '-')
        .slice(0, 64) || 'bridge',
  ),
  /** Queue, audit trail and control socket. */
  dataFolder: path.default('cipherdose-bridge-data'),
  host: hostSchema,
  orthancs: z.array(orthancSchema).min(1).max(32),
  dicomwebTargets: z.array(dicomwebSchema).max(32).default([]),
  rules: z.array(ruleSchema).max(256),
  queue: queueSchema.default(() => queueSchema.parse({})),
  watch: watchSchema.default(() => watchSchema.parse({})),
  retention: z
    .strictObject({
      /** What is known about finished series is forgotten after this many days; 0 keeps it. */
      finishedDays: z.int().min(0).max(36_500).default(0),
      /** The same for failed and quarantined series. */
      failedDays: z.int().min(0).max(36_500).default(0),
    })
    .default({ finishedDays: 0, failedDays: 0 }),
  limits: z
    .strictObject({
      slices: z.int().min(1).max(100_000).default(10_000),
      /** No job starts while the disk of the data folder has less room. */
      diskFreeMegabytes: z.int().min(0).max(10_000_000).default(512),
    })
    .default({ slices: 10_000, diskFreeMegabytes: 512 }),
  /** Status page, metrics and health; without it no port is opened. */
  status: statusSchema.optional(),
  alerts: alertSchema.optional(),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
});

export type BridgeConfig = z.infer<typeof bridgeConfigSchema>;
export type OrthancConfig = BridgeConfig['orthancs'][number];
export type DicomwebConfig = BridgeConfig['dicomwebTargets'][number];
export type HostConfig = BridgeConfig['host'];
