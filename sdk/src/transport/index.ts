export { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts';
export type { LayerRequest, PrivateChannel, PrivateChannelListener, Transport } from './transport.ts';
