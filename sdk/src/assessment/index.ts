export { DiscResponseMeter, evenPlace, insertDisc, type Disc, type DiscResponse } from './disc-response.ts';
export { NoisePowerMeter, type NoisePowerSpectrum } from './noise-power-spectrum.ts';
export { TissueBiasMeter, tissues, type Tissue, type TissueBias } from './tissue-bias.ts';
