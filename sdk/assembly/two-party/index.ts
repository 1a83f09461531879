// Two-party activation: the loops over bit planes and OTs. What calls them in which order is sdk/src/two-party.
import { prepareTables } from './comparison';
import { end } from './scratch';

export {
  hashFour,
  receiveLeaves,
  receivePairs,
  sendLeaves,
  sendPairs,
  stretchSeed,
} from './extension';
export { closeNode, finishTriples, openNode, readTables, writeTables } from './comparison';
export { copyPlane, splitPlanes } from './planes';
export { closeProduct, openProduct, signPlane } from './product';
export {
  closeCarryClient,
  closeCarryHost,
  openCarry,
  openTopProduct,
  shiftShares,
  truncateClient,
  truncateHost,
} from './truncation';

/** To be called once. @returns the first address that is not scratch of this module */
export function initialise(): usize {
  prepareTables();
  return end;
}
