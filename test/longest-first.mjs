import TestSequencer from '@jest/test-sequencer';

/** Kinds of tests, those whose files take longest first: a long file begun last has one core to itself. */
const kinds = ['browser', 'integration', 'property', 'hostile', 'vectors', 'unit'];

const rank = ({ path }) => kinds.findIndex((kind) => path.includes(`/test/${kind}/`));

/** Jest's own order within each kind; without the times of a run before, it begins with the largest files. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
