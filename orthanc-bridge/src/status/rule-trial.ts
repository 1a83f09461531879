import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { OrthancSeries } from '../orthanc/answers.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { RuleChoice } from '../rules/match-rule.ts';
import type { Rule } from '../rules/rule-schema.ts';
import type { SeriesFacts } from '../rules/series-facts.ts';
import { factsOf } from '../watch/decide-series.ts';
import type { RuleTask } from './rule-worker.ts';
import type { TrialView } from './views.ts';

export interface RuleTrialQuestion {
  readonly rules: readonly Rule[];
  /** Look at this Orthanc only. */
  readonly orthanc?: string | undefined;
  /** Look at this series only, by Orthanc's id. */
  readonly series?: string | undefined;
  /** Look at this many series in all. */
  readonly most: number;
}

const longestMs = 5000;
/** Series whose tags are asked for at once. */
const abreast = 4;

interface FoundSeries {
  readonly orthanc: OrthancClient;
  readonly series: OrthancSeries;
  readonly facts: SeriesFacts | undefined;
}

/** Tells what rules would do with series that are there. Changes nothing. */
export class RuleTrial {
  readonly #orthancs: ReadonlyMap<string, OrthancClient>;
  readonly #now: () => Date;
  readonly #pool = new Piscina<RuleTask, RuleChoice[]>({
    filename: fileURLToPath(new URL('./rule-worker.js', import.meta.url)),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });

  constructor(orthancs: ReadonlyMap<string, OrthancClient>, now: () => Date) {
    this.#orthancs = orthancs;
    this.#now = now;
  }

  /** @throws ORTHANC_*, SERIES_GONE, CONFIG_INVALID if a regular expression takes too long */
  async run({ rules, orthanc, series, most }: RuleTrialQuestion): Promise<TrialView> {
    const orthancs = [...this.#orthancs.values()].filter(({ name }) => (orthanc ?? name) === name);
    const { found, more } = series === undefined ? await list(orthancs, most) : await one(orthancs, series);
    const withFacts = found.filter((item): item is FoundSeries & { facts: SeriesFacts } => !!item.facts);
    const choices = await this.#choose({
      rules,
      series: withFacts.map(({ facts }) => facts),
      now: this.#now(),
    });
    const chosen = new Map(withFacts.map((item, index) => [item as FoundSeries, choices[index]]));
    return {
      more,
      results: found.map((item) => {
        const { rule, refused } = chosen.get(item) ?? noImage(rules);
        return {
          ...{ orthanc: item.orthanc.name, series: item.series.ID, instances: item.series.Instances.length },
          ...{ rule: rule?.name, refused: refused.map((each) => ({ ...each, reasons: [...each.reasons] })) },
        };
      }),
    };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #choose(task: RuleTask): Promise<RuleChoice[]> {
    const signal = AbortSignal.timeout(longestMs);
    return this.#pool.run(task, { signal }).catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
      const reason = 'the regular expressions take too long';
      throw new DenoiseError('CONFIG_INVALID', { field: 'rules', reason }, { cause });
    });
  }
}

const noImage = (rules: readonly Rule[]): RuleChoice => ({
  rule: undefined,
  refused: rules.map(({ name }) => ({ rule: name, reasons: ['there is no CT image'] })),
});

async function list(
  orthancs: readonly OrthancClient[],
  most: number,
): Promise<{ found: FoundSeries[]; more: boolean }> {
  const found: FoundSeries[] = [];
  for (const orthanc of orthancs) {
    // One more than wanted, to know whether there are more.
    const page = await orthanc.listCtSeries(0, most - found.length + 1);
    const wanted = page.slice(0, most - found.length);
    for (let start = 0; start < wanted.length; start += abreast)
      found.push(
        ...(await Promise.all(wanted.slice(start, start + abreast).map((series) => look(orthanc, series)))),
      );
    if (page.length > wanted.length) return { found, more: true };
  }
  return { found, more: false };
}

async function one(
  orthancs: readonly OrthancClient[],
  id: string,
): Promise<{ found: FoundSeries[]; more: boolean }> {
  for (const orthanc of orthancs) {
    const series = await orthanc.findSeries(id);
    if (series) return { found: [await look(orthanc, series)], more: false };
  }
  throw new DenoiseError('SERIES_GONE', { series: id });
}

const look = async (orthanc: OrthancClient, series: OrthancSeries): Promise<FoundSeries> => ({
  ...{ orthanc, series },
  facts: await factsOf(orthanc, series),
});
