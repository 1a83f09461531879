import { createServer, request, type Server } from 'node:http';
import { z } from 'zod';
import { DenoiseError, isErrorCode } from '@cipherdose/sdk/errors';

/** What the command line can ask of a running bridge. */
export interface ControlHandlers {
  replay(job: string): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

const orderSchema = z.discriminatedUnion('order', [
  z.strictObject({ order: z.literal('replay'), job: z.string().max(64) }),
  z.strictObject({ order: z.literal('pause') }),
  z.strictObject({ order: z.literal('resume') }),
]);
export type ControlOrder = z.infer<typeof orderSchema>;

const longestOrder = 4096;

/** HTTP on the socket that also locks the data folder: only who may write the folder can reach it. */
export function createControlServer(handlers: ControlHandlers): Server {
  return createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > longestOrder) incoming.destroy();
      else chunks.push(chunk);
    });
    incoming.on('end', () => {
      obey(Buffer.concat(chunks).toString('utf8'), handlers).then(
        () => outgoing.end(JSON.stringify({ ok: true })),
        (error: unknown) => {
          const { code, details } = DenoiseError.wrap(error, 'REQUEST_INVALID');
          outgoing.writeHead(400).end(JSON.stringify({ ok: false, error: { code, details } }));
        },
      );
    });
  });
}

async function obey(text: string, handlers: ControlHandlers): Promise<void> {
  const order = orderSchema.parse(JSON.parse(text));
  if (order.order === 'replay') await handlers.replay(order.job);
  else if (order.order === 'pause') await handlers.pause();
  else await handlers.resume();
}

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.object({ code: z.string(), details: z.record(z.string(), z.unknown()) }).optional(),
});

/** @throws what the bridge answers; QUEUE_UNAVAILABLE if none runs */
export async function sendOrder(socketPath: string, order: ControlOrder): Promise<void> {
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request({ socketPath, path: '/', method: 'POST' }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.on('end', () => resolve(body));
    });
    sent.on('error', (cause) =>
      reject(
        new DenoiseError('QUEUE_UNAVAILABLE', { reason: 'no bridge runs with this data folder' }, { cause }),
      ),
    );
    sent.end(JSON.stringify(order));
  });
  const { ok, error } = answerSchema.parse(JSON.parse(text));
  if (!ok) throw new DenoiseError(isErrorCode(error?.code) ? error.code : 'INTERNAL', error?.details ?? {});
}
