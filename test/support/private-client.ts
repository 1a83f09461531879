import { emptyMap, type HuImage } from '@cipherdose/sdk/image';
import {
  continueWalk,
  startWalk,
  type CheckedPlan,
  type FinishedWalk,
  type PendingLinear,
} from '@cipherdose/sdk/plan';
import {
  decodeOpened,
  encodeOpen,
  framesInFlight,
  packValues,
  PrivateReader,
  PrivateWriter,
  sliceLayout,
  unpackValues,
  type PrivateAddress,
  type PrivateMessage,
  type SliceLayer,
  type SliceLayout,
} from '@cipherdose/sdk/private-session';
import { parameterSet, type ParameterSet } from '@cipherdose/sdk/protocol';
import {
  ActivateClient,
  ClientHandshake,
  PrepareClient,
  signedResult,
  TwoPartyKernel,
  type ClientCorrelations,
  type RandomSource,
  type TwoPartySession,
} from '@cipherdose/sdk/two-party';
import { SealCipher, type SealLibrary } from '#sdk/he/index.js';
import { decryptShare, encryptShare, shareLayer, type ShareLayer } from '#sdk/worker/share-cipher.js';
import { present } from './two-party.ts';

/** What a client keeps of a slice that broke off. */
export interface KeptSlice {
  readonly image: HuImage;
  readonly ticket: Uint8Array;
  /** Its shares of the inputs of layers. */
  readonly shares: ReadonlyMap<number, Uint32Array<ArrayBuffer>>;
}

/** What a client holds of one chunk of a layer, when the layer is over; all but `input` modulo a power of two. */
export interface HeldValues {
  readonly slice: number;
  readonly spec: SliceLayer;
  /** The image's map for the first layer, else its share: [inChannels][height][width] */
  readonly input: Uint32Array;
  /** x'_C and W x'_C - r' */
  readonly uniform: Uint32Array;
  readonly before: Uint32Array;
  readonly piece: number;
  /** What the host answered, and its share u of the accumulators. */
  readonly answer: Uint32Array;
  readonly share: Uint32Array;
  /** Its share of the activations. */
  readonly activated: Uint32Array;
}

interface LayerState {
  readonly spec: SliceLayer;
  readonly frames: ShareLayer;
  readonly requests: Generator<Uint8Array<ArrayBuffer>>;
  sent: number;
  answered: number;
  /** x'_C and W x'_C - r' */
  readonly uniform: Uint32Array<ArrayBuffer>;
  readonly before: Uint32Array<ArrayBuffer>;
  readonly correlations: ClientCorrelations[];
  readonly activations: (ActivateClient | undefined)[];
  readonly heard: { answer: Uint32Array; share: Uint32Array }[];
  inputs: number;
  done: number;
}

interface SliceState {
  readonly number: number;
  readonly image: HuImage;
  readonly layout: SliceLayout;
  readonly resumed?: KeptSlice | undefined;
  layers: LayerState[];
  ticket?: Uint8Array;
  readonly shares: Map<number, Uint32Array<ArrayBuffer>>;
  result?: Uint32Array<ArrayBuffer>;
  results: number;
}

export interface TestClientOptions {
  readonly plan: CheckedPlan;
  readonly seal: SealLibrary;
  readonly random: RandomSource;
  readonly send: (message: Uint8Array<ArrayBuffer>) => void;
  /** Of the images, one after another; the first may resume. */
  readonly images: readonly HuImage[];
  readonly resume?: KeptSlice | undefined;
  /** One that serves several clients; default: one of its own. */
  readonly cipher?: SealCipher | undefined;
  /** Images that are prepared before they run. */
  readonly ahead?: number;
  /** Sees what the client could write down. */
  readonly held?: ((values: HeldValues) => void) | undefined;
}

/** A client of private mode with nothing around it, for tests of the host: all in one thread, first come, first served. */
export class PrivateTestClient {
  readonly results: HuImage[] = [];
  readonly #options: TestClientOptions;
  readonly #set: ParameterSet;
  readonly #cipher: SealCipher;
  readonly #kernel = new TwoPartyKernel();
  readonly #handshake: ClientHandshake;
  readonly #reader = new PrivateReader();
  #writer: PrivateWriter | undefined;
  #session: TwoPartySession | undefined;
  readonly #slices: SliceState[] = [];
  #opened = 0;
  #running: number | undefined;

  constructor(options: TestClientOptions) {
    this.#options = options;
    this.#set = parameterSet(options.plan.parameterSet);
    this.#cipher = options.cipher ?? new SealCipher(options.seal, this.#set);
    this.#handshake = new ClientHandshake({ random: options.random, kernel: this.#kernel });
  }

  get done(): boolean {
    return this.results.length === this.#options.images.length;
  }

  /** What is left of the slice that runs. */
  get kept(): KeptSlice | undefined {
    const [first] = this.#slices;
    return first?.ticket && { image: first.image, ticket: first.ticket, shares: first.shares };
  }

  /** Bytes of correlations and seeds that it holds. */
  get usedBytes(): number {
    return this.#kernel.usedBytes;
  }

  /** Drops everything. */
  dispose(): void {
    for (const { activations, correlations } of this.#slices.flatMap(({ layers }) => layers)) {
      for (const machine of activations) machine?.drop();
      for (const each of correlations) each.drop();
    }
    this.#session?.close();
    if (!this.#options.cipher) this.#cipher.dispose();
  }

  receive(bytes: Uint8Array<ArrayBuffer>): void {
    const message = this.#reader.read(bytes);
    const { payload } = message;
    if (message.kind === 'handshake') {
      const session = present(this.#reader.session);
      this.#writer ??= new PrivateWriter(session);
      const { send, result } = this.#handshake.receive(payload);
      this.#send({ kind: 'handshake', slice: 0, layer: 0, piece: message.piece + 1 }, present(send));
      if (!result) return;
      this.#session = result;
      this.#send({ kind: 'publicKey', slice: 0, layer: 0, piece: 0 }, this.#cipher.publicKey(session));
      this.#openNext();
      return;
    }
    const slice = present(this.#slices.find(({ number }) => number === message.slice));
    if (message.kind === 'opened') this.#begin(slice, payload);
    else if (message.kind === 'result') this.#takeResult(slice, message);
    else {
      const layer = present(slice.layers.find(({ spec }) => spec.node.layer === message.layer));
      if (message.kind === 'frame') this.#takeFrame(slice, layer, message);
      if (message.kind === 'corrections') this.#takeCorrections(slice, layer, message);
      if (message.kind === 'answer') this.#takeAnswer(slice, layer, message);
      if (message.kind === 'activation') this.#takeActivation(slice, layer, message);
    }
  }

  #send(address: PrivateAddress, payload: Uint8Array): void {
    this.#options.send(present(this.#writer).write(address, payload));
  }

  #openNext(): void {
    const { plan, images, resume, ahead = 0 } = this.#options;
    const image = images[this.#opened];
    if (!image || this.#slices.length > ahead) return;
    const number = ++this.#opened;
    const resumed = number === 1 ? resume : undefined;
    const { width, height } = image;
    const layout = sliceLayout(plan, { width, height });
    this.#slices.push({ number, image, layout, resumed, layers: [], shares: new Map(), results: 0 });
    const open = encodeOpen({ width, height, resume: resumed?.ticket });
    this.#send({ kind: 'open', slice: number, layer: 0, piece: 0 }, open);
  }

  #begin(slice: SliceState, payload: Uint8Array): void {
    const { firstLayer, ticket } = decodeOpened(payload);
    const { digest } = this.#options.plan;
    slice.ticket = ticket;
    const share = slice.resumed?.shares.get(firstLayer);
    if (share) slice.shares.set(firstLayer, share);
    slice.layers = slice.layout.layers.slice(firstLayer).map((spec) => {
      const frames = shareLayer(this.#set, digest, spec.node, spec.input);
      const uniform = new Uint32Array(spec.inputCount);
      this.#options.random(new Uint8Array(uniform.buffer));
      uniform.forEach((value, i) => (uniform[i] = value & (2 ** this.#set.plainModulusBits - 1)));
      return {
        spec,
        frames,
        requests: encryptShare(this.#cipher, frames, uniform),
        sent: 0,
        answered: 0,
        uniform,
        before: new Uint32Array(spec.outputCount),
        correlations: [],
        activations: spec.chunks.map(() => undefined),
        heard: [],
        inputs: 0,
        done: 0,
      };
    });
    for (let i = 0; i < framesInFlight; i++) this.#sendFrame(slice);
  }

  #sendFrame(slice: SliceState): void {
    const layer = slice.layers.find(({ sent, frames }) => sent < frames.groups.length);
    if (!layer) return;
    const address = { slice: slice.number, layer: layer.spec.node.layer, piece: layer.sent++ };
    this.#send({ kind: 'frame', ...address }, layer.requests.next().value as Uint8Array);
  }

  #takeFrame(slice: SliceState, layer: LayerState, { piece, payload }: PrivateMessage): void {
    decryptShare(this.#cipher, layer.frames, present(layer.frames.groups[piece]), payload, layer.before);
    layer.answered++;
    this.#sendFrame(slice);
    this.#checkPrepared(slice);
  }

  #takeCorrections(slice: SliceState, layer: LayerState, { piece, payload }: PrivateMessage): void {
    const { activation, chunks, node } = layer.spec;
    const machine = new PrepareClient(present(this.#session), activation, present(chunks[piece]).count);
    const { send, result } = machine.receive(payload);
    layer.correlations.push(present(result));
    this.#send({ kind: 'corrections', slice: slice.number, layer: node.layer, piece }, present(send));
    this.#checkPrepared(slice);
  }

  #checkPrepared(slice: SliceState): void {
    if (!prepared(slice)) return;
    this.#runNext();
    this.#openNext();
  }

  #runNext(): void {
    const [first] = this.#slices;
    if (!first || !prepared(first) || this.#running === first.number) return;
    this.#running = first.number;
    const [layer] = first.layers;
    if (!layer) return;
    const { node } = layer.spec;
    if (node.layer === 0) {
      const { input } = startWalk(this.#options.plan, first.image) as PendingLinear;
      first.shares.set(0, Uint32Array.from(input.data));
    }
    for (let piece = 0; piece < layer.spec.inputs.length; piece++) this.#sendInput(first, layer, piece);
  }

  #sendInput(slice: SliceState, { spec, uniform }: LayerState, piece: number): void {
    const { start, count } = present(spec.inputs[piece]);
    const share = present(slice.shares.get(spec.node.layer)).subarray(start, start + count);
    const difference = share.map((value, i) => value - (uniform[start + i] as number));
    const address = { slice: slice.number, layer: spec.node.layer, piece };
    this.#send({ kind: 'input', ...address }, packValues(difference, spec.inputBits));
  }

  #takeAnswer(slice: SliceState, layer: LayerState, { piece, payload }: PrivateMessage): void {
    const { spec, before, correlations } = layer;
    const { start, count } = present(spec.chunks[piece]);
    const answer = unpackValues(payload, count, spec.answerBits);
    const u = answer.map((value, i) => value + (before[start + i] as number));
    layer.heard[piece] = { answer, share: u };
    const machine = new ActivateClient(present(correlations[piece]), u);
    layer.activations[piece] = machine;
    const address = { slice: slice.number, layer: spec.node.layer, piece };
    this.#send({ kind: 'activation', ...address }, machine.tables);
  }

  #takeActivation(slice: SliceState, layer: LayerState, { piece, payload }: PrivateMessage): void {
    const { spec } = layer;
    const { send, result } = present(layer.activations[piece]).receive(payload);
    const address = { slice: slice.number, layer: spec.node.layer, piece };
    this.#send({ kind: 'activation', ...address }, present(send));
    if (!result) return;
    this.#options.held?.({
      slice: slice.number,
      spec,
      input: present(slice.shares.get(spec.node.layer)),
      uniform: layer.uniform,
      before: layer.before,
      piece,
      ...present(layer.heard[piece]),
      activated: result,
    });
    const next = slice.layers[slice.layers.indexOf(layer) + 1];
    const share = next
      ? (slice.shares.get(next.spec.node.layer) ?? new Uint32Array(spec.outputCount))
      : (slice.result ??= new Uint32Array(spec.outputCount));
    share.set(result, present(spec.chunks[piece]).start);
    if (!next) return;
    slice.shares.set(next.spec.node.layer, share);
    this.#sendInput(slice, next, piece);
  }

  #takeResult(slice: SliceState, { piece, payload }: PrivateMessage): void {
    const { spec } = present(slice.layers.at(-1));
    const { start, count } = present(spec.chunks[piece]);
    const own = present(slice.result);
    unpackValues(payload, count, spec.activation.outputBits).forEach((value, i) => {
      own[start + i] = value + (own[start + i] as number);
    });
    slice.results++;
    if (slice.results < spec.chunks.length) return;
    const values = Int32Array.from(
      own,
      (sum) => signedResult(sum, spec.activation) * 2 ** spec.activation.shift,
    );
    this.results.push(finishWalk(this.#options.plan, slice, values));
    this.#slices.shift();
    this.#send({ kind: 'finished', slice: slice.number, layer: 0, piece: 0 }, new Uint8Array());
    this.#runNext();
    this.#openNext();
  }
}

const prepared = ({ layers }: SliceState): boolean =>
  layers.length > 0 &&
  layers.every(
    ({ spec, frames, answered, correlations }) =>
      answered === frames.groups.length && correlations.length === spec.chunks.length,
  );

/** What is behind the last layer, with maps in between that nobody knows. */
function finishWalk(plan: CheckedPlan, { image, layout }: SliceState, last: Int32Array): HuImage {
  let step: PendingLinear | FinishedWalk = startWalk(plan, image);
  for (const { node, output } of layout.layers) {
    const map = emptyMap(node.outChannels, output.height, output.width);
    if (node === layout.layers.at(-1)?.node) map.data.set(last);
    step = continueWalk(step as PendingLinear, map);
  }
  return (step as FinishedWalk).image;
}
