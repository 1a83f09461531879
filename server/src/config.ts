import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { limits } from '@cipherdose/sdk/protocol';

const milliseconds = z.int().min(1).max(3_600_000);
const count = z.int().min(1).max(1_000_000);
const path = z.string().min(1);
const origin = z.string().refine((value) => value === '*' || isOrigin(value), {
  message: "must be '*' or an origin such as https://viewer.example.org",
});

/** Everything that can be set on a model host. */
export const hostConfigSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.int().min(0).max(65_535).default(8080),
  /** Folder of models; default: those that come with the package. */
  models: path.default(fileURLToPath(new URL('../models', import.meta.url))),
  /** Hashed API keys, made by `cipherdose-server keys add`. */
  keysFile: path.default('cipherdose-keys.json'),
  /** Takes requests without an API key. Only on a loopback address, unless `openToNetwork` is set too. */
  open: z.boolean().default(false),
  openToNetwork: z.boolean().default(false),
  /** Evaluation threads. */
  threads: z
    .int()
    .min(1)
    .max(512)
    .default(() => availableParallelism()),
  /** Evaluations that may wait for a thread. */
  maxQueue: z.int().min(0).max(1_000_000).default(64),
  /** Frames that may be received, evaluated and sent at once, and their bytes: bounds the memory of the host. */
  maxConcurrentRequests: count.default(64),
  maxBytesInFlight: z
    .int()
    .min(1024)
    .default(256 * 2 ** 20),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(limits.frameBytes)
    .default(64 * 2 ** 20),
  /** Longest time that the body of a request may take to arrive, and an answer to be fetched. */
  bodyTimeoutMs: milliseconds.default(60_000),
  /** The same for the whole request, its headers included. */
  requestTimeoutMs: milliseconds.default(120_000),
  /** Longest time that a closing host waits for what still runs. */
  closeTimeoutMs: milliseconds.default(30_000),
  /** Requests of one API key, or of one address where keys are not needed. */
  rateLimit: z
    .strictObject({ max: count, perSeconds: z.int().min(1).max(86_400) })
    .default({ max: 6000, perSeconds: 60 }),
  /** Private mode; only of models that offer it. */
  private: z
    .strictObject({
      /** Sessions at once; each has a thread and, while slices run, some hundred megabytes. */
      maxSessions: z.int().min(0).max(256).default(4),
      /** Slices of one session that may be open at once: the one that runs, and those that are prepared ahead. */
      slices: z.int().min(1).max(8).default(2),
      /** Most activations of one slice; one of 512x512 pixels of the usual network has 524,288. */
      maxSliceActivations: z
        .int()
        .min(1)
        .max(2 ** 26)
        .default(2 ** 22),
      /** Activations of one API key, or of one address where keys are not needed. */
      quota: z
        .strictObject({
          activations: z.int().min(1),
          perSeconds: z.int().min(1).max(86_400),
        })
        .default({ activations: 2 ** 31, perSeconds: 3600 }),
      /** How long a ticket is good for. */
      ticketSeconds: z.int().min(1).max(3600).default(30),
      /** How long a session may say nothing. */
      idleSeconds: z.number().min(0.05).max(3600).default(60),
      /** How long the host keeps its share of a slice that broke off. */
      resumeSeconds: z.number().min(0).max(3600).default(120),
      /** Most bytes of such shares. */
      maxResumeBytes: z
        .int()
        .min(0)
        .default(64 * 2 ** 20),
      /** Bytes of one session that may wait for the host, or for the client, before the host reads on. */
      maxWaitingBytes: z
        .int()
        .min(2 ** 16)
        .default(32 * 2 ** 20),
    })
    .prefault({}),
  /** Origins of web pages that may ask; '*' for all. */
  corsOrigins: z.array(origin).default([]),
  /** PEM files; without them the host speaks plain HTTP. */
  tls: z.strictObject({ certFile: path, keyFile: path }).optional(),
  /** Believes x-forwarded-for: only behind a proxy of your own. */
  trustProxy: z.boolean().default(false),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
});

/** Every setting of a host, checked. */
export type HostConfig = Readonly<z.infer<typeof hostConfigSchema>>;

/**
 * Unchecked in, checked and frozen out, with every default filled in.
 * @throws CONFIG_INVALID naming the field
 */
export function checkConfig(untrusted: unknown): HostConfig {
  const parsed = hostConfigSchema.safeParse(untrusted);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    throw invalid([...(issue?.path ?? []), ...unknown].join('.'), issue?.message ?? '');
  }
  const config = parsed.data;
  if (config.requestTimeoutMs < config.bodyTimeoutMs)
    throw invalid('requestTimeoutMs', 'is shorter than bodyTimeoutMs');
  if (config.maxBytesInFlight < config.maxBodyBytes)
    throw invalid('maxBytesInFlight', 'is less than maxBodyBytes');
  if (config.open && !config.openToNetwork && !isLoopback(config.host))
    throw invalid(
      'open',
      `${config.host} can be reached from the network; use API keys, or set openToNetwork too`,
    );
  return Object.freeze(config);
}

const invalid = (field: string, reason: string): DenoiseError =>
  new DenoiseError('CONFIG_INVALID', { field, reason });

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);

function isOrigin(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).origin === value;
}
