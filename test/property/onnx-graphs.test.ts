import { describe } from '@jest/globals';
import fc from 'fast-check';
import { side, testAgainstOnnxRuntime } from '../support/operator-networks.ts';
import { randomGraph } from '../support/random-graph.ts';

// What is sampled is in the names, so a graph that fails can be made again: randomGraph(seed, side, layers).
const graphs = fc.record({ seed: fc.nat(), layers: fc.integer({ min: 2, max: 7 }) });

describe('random graphs', () => {
  testAgainstOnnxRuntime(
    Object.fromEntries(
      fc
        .sample(graphs, 40)
        .map(({ seed, layers }) => [`seed ${seed}, ${layers} layers`, randomGraph(seed, side, layers)]),
    ),
    // Up to ten layers, some of which raise what the one before had of error.
    { real: 1e-4, integer: 0.02, least: 0 },
  );
});
