export { fetchTransport, type FetchTransportOptions } from './fetch-transport.ts';
export type { LayerRequest, Transport } from './transport.ts';
