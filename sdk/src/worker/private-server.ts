import { DenoiseError } from '../errors/index.ts';
import { SealCipher, type SealLibrary } from '../he/index.ts';
import { parameterSet } from '../protocol/index.ts';
import { systemRandom, TwoPartyKernel } from '../two-party/index.ts';
import type { OutgoingMessage, PrivateEvent, PrivateJob, PrivateOutcome } from './private-jobs.ts';
import { PrivateSession, wipeKept, type KeptSlice } from './private-session.ts';

interface RunState {
  session?: PrivateSession | undefined;
  cipher?: SealCipher | undefined;
  /** Of the slice that broke off, until it is opened again. */
  kept?: KeptSlice | undefined;
}

/** Does the steps of runs in private mode inside a worker: keys, shares and correlations stay here. */
export class PrivateServer {
  readonly #seal: SealLibrary;
  readonly #runs = new Map<number, RunState>();
  #kernel: TwoPartyKernel | undefined;
  #messages: OutgoingMessage[] = [];
  #events: PrivateEvent[] = [];

  constructor(seal: SealLibrary) {
    this.#seal = seal;
  }

  /** @throws TWO_PARTY_*, FRAME_*, PLAN_*: the session is over, as with the step `break` */
  take(job: PrivateJob): PrivateOutcome {
    this.#messages = [];
    this.#events = [];
    try {
      this.#step(job);
    } catch (error) {
      const state = this.#runs.get(job.run);
      if (state) breakOff(state);
      throw error;
    }
    return { messages: this.#messages, events: this.#events };
  }

  #step({ run, set, step }: PrivateJob): void {
    const state: RunState = this.#runs.get(run) ?? {};
    switch (step.kind) {
      case 'start':
        breakOff(state);
        this.#runs.set(run, state);
        // A key for each session, so that sessions have nothing in common.
        state.cipher = new SealCipher(this.#seal, parameterSet(set));
        state.session = new PrivateSession(
          {
            plan: step.plan,
            cipher: state.cipher,
            kernel: (this.#kernel ??= new TwoPartyKernel()),
            random: systemRandom,
          },
          {
            send: (message) => this.#messages.push(message),
            tell: (event) => this.#events.push(event),
          },
        );
        return;
      case 'message':
        sessionOf(state).receive(step.message);
        return;
      case 'open': {
        const { kept } = state;
        if (!step.resume) wipeKept(kept);
        state.kept = undefined;
        sessionOf(state).open(step.slice, step, step.resume ? kept : undefined);
        return;
      }
      case 'run':
        sessionOf(state).run(step.slice, step.image);
        return;
      case 'break':
        breakOff(state);
        return;
      case 'end':
        breakOff(state);
        wipeKept(state.kept);
        this.#runs.delete(run);
    }
  }
}

function sessionOf({ session }: RunState): PrivateSession {
  if (!session) throw new DenoiseError('TWO_PARTY_SPENT', { session: true });
  return session;
}

function breakOff(state: RunState): void {
  const { session, cipher } = state;
  if (!session) return;
  state.kept = session.kept ?? state.kept;
  session.drop();
  cipher?.dispose();
  state.session = undefined;
  state.cipher = undefined;
}
