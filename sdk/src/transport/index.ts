export { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts';
export type { LayerRequest, PrivateChannel, PrivateChannelListener, Transport } from './transport.ts';
export type { OpenSocket } from './private-channel.ts';
