import { z } from 'zod';

/** Where failures are told, and when. */
export const alertSchema = z.strictObject({
  /** Gets a POST with JSON. */
  url: z.string().refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    message: 'is not an http or https address',
  }),
  /** Sent as `authorization: Bearer`. */
  token: z.string().min(1).optional(),
  tokenFile: z.string().min(1).optional(),
  /** PEM certificates to trust instead of the system's. */
  caFile: z.string().min(1).optional(),
  /** What happens within this time comes in one message. */
  groupSeconds: z.number().min(0).max(3600).default(10),
  /** An Orthanc, the host or the queue database is told when it did not answer for this long. */
  downMinutes: z.number().min(0).max(1440).default(5),
  /** Told when a series waits for longer, unless the bridge is paused; 0 never. */
  waitingMinutes: z.number().min(0).max(10_080).default(60),
});

/** Settings of the alerts as they are used: the token is read from its file. */
export type AlertConfig = z.infer<typeof alertSchema>;
