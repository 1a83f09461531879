import {
  createDenoiseClient,
  modeDisclosure,
  type DenoiseClient,
  type Mode,
  type ModelSummary,
} from '@cipherdose/sdk';
import { privateCost } from '@cipherdose/sdk/private-session';
import { byId, create } from './elements.ts';
import { megabytes } from './progress-view.ts';

/** The model that was picked, and the client of its host. */
export interface ModelChoice {
  readonly client: DenoiseClient;
  readonly model: ModelSummary;
  readonly mode: Mode;
}

export interface HostPanelEvents {
  readonly onChoice: (choice: ModelChoice | undefined) => void;
  readonly onFailure: (error: unknown) => void;
}

/** The address of the host and the models that it offers. @param hostUrl what the address is at first */
export function createHostPanel(hostUrl: string, { onChoice, onFailure }: HostPanelEvents): void {
  const form = byId('host-form', HTMLFormElement);
  const url = byId('host-url', HTMLInputElement);
  const apiKey = byId('api-key', HTMLInputElement);
  const status = byId('host-status', HTMLElement);
  const list = byId('models', HTMLFieldSetElement);
  let client: DenoiseClient | undefined;
  let attempt = 0;

  async function connect(): Promise<void> {
    const current = ++attempt;
    client?.close();
    client = undefined;
    onChoice(undefined);
    list.replaceChildren();
    status.textContent = 'Connecting …';
    try {
      const opened = openClient(url.value.trim(), apiKey.value.trim());
      client = opened;
      const models = await opened.models();
      if (current !== attempt) return;
      const choices = await Promise.all(models.flatMap((model) => choicesOf(opened, model)));
      if (current !== attempt) return;
      status.textContent = `Connected, ${models.length} ${models.length === 1 ? 'model' : 'models'}`;
      offer(choices);
    } catch (error) {
      if (current !== attempt) return;
      status.textContent = 'Not connected';
      list.replaceChildren(create('p', { class: 'note' }, 'The host has not told its models yet.'));
      onFailure(error);
    }
  }

  function offer(choices: readonly OfferedChoice[]): void {
    const preferred =
      choices.find(({ model }) => model.id === 'balanced') ??
      choices.find(({ mode }) => mode === 'interactive') ??
      choices[0];
    choices.forEach((choice, index) => {
      const { input, card } = modelCard(choice, index);
      input.addEventListener('change', () => onChoice(choice));
      input.checked = choice === preferred;
      list.append(card);
    });
    onChoice(preferred);
  }

  url.value = hostUrl;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void connect();
  });
  addEventListener('pagehide', () => client?.close());
  void connect();
}

const openClient = (serverUrl: string, apiKey: string): DenoiseClient =>
  createDenoiseClient({
    serverUrl,
    workerUrl: new URL('./he-worker.js', import.meta.url),
    sealWasmUrl: new URL('./seal_allows.wasm', import.meta.url),
    ...(apiKey === '' ? {} : { apiKey }),
  });

interface OfferedChoice extends ModelChoice {
  /** Of one 512x512 slice. */
  readonly bytes: number;
  readonly rounds: number;
}

const side = 512;

const choicesOf = (client: DenoiseClient, model: ModelSummary): Promise<OfferedChoice>[] =>
  model.modes.map(async (mode) => {
    const bytes = model.cost.bytesUp + model.cost.bytesDown;
    const choice = { client, model, mode };
    if (mode !== 'private') return { ...choice, bytes, rounds: model.cost.rounds };
    // What comes on top depends on the layers.
    const { plan } = await client.model(model.id);
    const { offlineBytes, onlineBytes, rounds } = privateCost(plan, side, side);
    return { ...choice, bytes: bytes + offlineBytes + onlineBytes, rounds };
  });

function modelCard(
  { model, mode, bytes, rounds }: OfferedChoice,
  index: number,
): { readonly input: HTMLInputElement; readonly card: HTMLElement } {
  const id = `model-${index}`;
  const input = create('input', { type: 'radio', name: 'model', id, value: `${model.id} ${mode}` });
  input.setAttribute('aria-describedby', `${id}-text`);
  const cost = `${megabytes(bytes)} a slice, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
  const kind = mode === model.id ? '' : `${mode}, `;
  const card = create(
    'div',
    { class: 'model' },
    input,
    create('label', { for: id }, model.id, create('span', {}, kind + cost)),
    create(
      'div',
      { id: `${id}-text` },
      create('p', {}, model.summary),
      create('p', {}, modeDisclosure[mode]),
    ),
  );
  return { input, card };
}
