import { z } from 'zod';
import { isPasswordHash } from './passwords.ts';

const path = z.string().min(1);

const userSchema = z
  .strictObject({
    name: z.string().regex(/^[\w.@-]{1,64}$/, { message: 'is not 1 to 64 letters, digits or .@-_' }),
    /** Made by `cipherdose-bridge hash-password`. */
    passwordHash: z.string().refine(isPasswordHash, { message: 'is no hash of hash-password' }).optional(),
    /** File whose first line is the hash. */
    passwordHashFile: path.optional(),
  })
  .refine(({ passwordHash, passwordHashFile }) => (passwordHash ?? passwordHashFile) !== undefined, {
    message: 'needs passwordHash or passwordHashFile',
  });

/** Everything that can be set on the status page. */
export const statusSchema = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    /** 0 takes a free port. */
    port: z.int().min(0).max(65_535).default(8970),
    /** PEM files; without them the page speaks plain HTTP. */
    tls: z.strictObject({ certFile: path, keyFile: path }).optional(),
    /** A reverse proxy of yours speaks TLS in front of the page and sets x-forwarded-for and -proto. */
    behindProxy: z.boolean().default(false),
    users: z.array(userSchema).min(1).max(100),
    /** Somebody who does nothing for this long has to log in again. */
    sessionHours: z.number().min(0.1).max(168).default(8),
    /** Shows patient names, asked from Orthanc each time and never stored. */
    showPatientNames: z.boolean().default(false),
    /** Shows one slice before and after, rendered on demand and never stored. */
    showImages: z.boolean().default(true),
    /** Grey window of these pictures, HU. */
    window: z
      .strictObject({ low: z.int().min(-2000).max(30_000), high: z.int().min(-2000).max(30_000) })
      .refine(({ low, high }) => low < high, { message: 'needs low below high' })
      .default({ low: -160, high: 240 }),
    /** Bearer token that /metrics asks for; without it everybody who reaches the port may read the metrics. */
    metricsToken: z.string().min(8).optional(),
    metricsTokenFile: path.optional(),
  })
  .refine(({ host, tls, behindProxy }) => isLoopback(host) || tls !== undefined || behindProxy, {
    message: 'passwords would cross the network in the clear: set tls, or behindProxy',
    path: ['host'],
  })
  .refine(({ users }) => new Set(users.map(({ name }) => name)).size === users.length, {
    message: 'has a name twice',
    path: ['users'],
  });

/** Settings of the status page as they are used: secrets are read from their files. */
export type StatusConfig = z.infer<typeof statusSchema>;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
