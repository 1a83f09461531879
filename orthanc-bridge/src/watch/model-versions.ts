import type { DenoiseClient, ModelDetail } from '@cipherdose/sdk';

/** How long an answer of the host counts, milliseconds: a new version is noticed after this time at most. */
const freshMs = 30_000;
/** A host that does not answer is not asked again at once. */
const failedMs = 5_000;

type Model = Pick<ModelDetail, 'id' | 'version' | 'digest' | 'modes'>;

/** The models of the host, asked for at most every {@link freshMs}. */
export class ModelVersions {
  readonly #client: DenoiseClient;
  readonly #clock: () => number;
  readonly #known = new Map<string, { readonly until: number; readonly answer: Promise<Model> }>();

  /** @param clock milliseconds that only grow */
  constructor(client: DenoiseClient, clock: () => number = () => performance.now()) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The host is asked again next time. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** @throws what the host answers, HOST_UNREACHABLE */
  get(id: string): Promise<Model> {
    const known = this.#known.get(id);
    if (known && known.until > this.#clock()) return known.answer;
    const answer = this.#client.model(id);
    this.#known.set(id, { until: this.#clock() + freshMs, answer });
    answer.catch(() => this.#known.set(id, { until: this.#clock() + failedMs, answer }));
    return answer;
  }
}
