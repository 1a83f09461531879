import { DenoiseError } from '@cipherdose/sdk/errors';
import { privateLayers } from '@cipherdose/sdk/plan';
import type { Plan } from '@cipherdose/sdk/protocol';
import {
  ActivateClient,
  ActivateHost,
  ClientHandshake,
  HostHandshake,
  PrepareClient,
  PrepareHost,
  type ActivationParameters,
  type Step,
  type TwoPartySession,
} from '@cipherdose/sdk/two-party';
import type { PrivateReport } from './private-report.ts';

/** Seconds that one slice's activations take, both sides on one thread here, one after the other. */
export interface PrivateSeconds {
  readonly offline: number;
  readonly online: number;
}

/** Activations that are measured for each layer. */
const sample = 16_384;

/** Runs a piece of every layer's activations through both sides of the protocol: a second or two in all. */
export function measurePrivate(plan: Plan, report: PrivateReport): PrivateSeconds {
  const sides = openSides();
  const total = { offline: 0, online: 0 };
  privateLayers(plan).forEach(({ activation }, i) => {
    const count = report.layers[i]?.activations ?? 0;
    const piece = Math.min(sample, count);
    const { offline, online } = measure(sides, activation, piece);
    total.offline += (offline * count) / piece;
    total.online += (online * count) / piece;
  });
  sides.client.close();
  sides.host.close();
  return total;
}

interface Sides {
  readonly client: TwoPartySession;
  readonly host: TwoPartySession;
}

function openSides(): Sides {
  const host = new HostHandshake();
  const client = new ClientHandshake();
  const third = client.receive(sent(host.receive(sent(client.receive(host.hello)))));
  return { host: result(host.receive(sent(third))), client: result(third) };
}

function measure({ client, host }: Sides, activation: ActivationParameters, count: number): PrivateSeconds {
  const start = performance.now();
  const hostPreparation = new PrepareHost(host, activation, count);
  const prepared = new PrepareClient(client, activation, count).receive(hostPreparation.corrections);
  const ready = result(hostPreparation.receive(sent(prepared)));
  const middle = performance.now();
  // Accumulators of 0; what they are makes no difference to the time.
  const shares = ready.masks.map((mask) => -mask);
  const clientRun = new ActivateClient(result(prepared), shares);
  const hostRun = new ActivateHost(ready);
  const second = clientRun.receive(sent(hostRun.receive(clientRun.tables)));
  result(hostRun.receive(sent(clientRun.receive(sent(hostRun.receive(sent(second)))))));
  return { offline: (middle - start) / 1000, online: (performance.now() - middle) / 1000 };
}

function sent({ send }: Step<unknown>): Uint8Array {
  if (!send) throw new DenoiseError('INTERNAL', { reason: 'a step sends nothing' });
  return send;
}

function result<Result>(step: Step<Result>): Result {
  if (step.result === undefined) throw new DenoiseError('INTERNAL', { reason: 'a step has no result' });
  return step.result;
}
