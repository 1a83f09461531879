import type { BridgeConfig } from './config/config-schema.ts';
import { OrthancClient } from './orthanc/orthanc-client.ts';
import type { RuleChoice } from './rules/match-rule.ts';
import { explainSeries } from './watch/decide-series.ts';

/** What the rules would do with one series. */
export interface DryRunResult extends RuleChoice {
  readonly orthanc: string;
  /** Orthanc's id. */
  readonly series: string;
  readonly instances: number;
}

const listPage = 100;

/** Asks the rules about the CT series that are there; changes nothing anywhere. @throws ORTHANC_* */
export async function* dryRun(
  { orthancs, rules }: Pick<BridgeConfig, 'orthancs' | 'rules'>,
  most: number,
  now = new Date(),
): AsyncGenerator<DryRunResult> {
  for (const config of orthancs) {
    const orthanc = await OrthancClient.create(config);
    try {
      let left = most;
      for (let since = 0; left > 0; since += listPage) {
        const page = await orthanc.listCtSeries(since, Math.min(listPage, left));
        for (const series of page)
          yield {
            ...{ orthanc: orthanc.name, series: series.ID, instances: series.Instances.length },
            ...(await explainSeries(orthanc, series, rules, now)),
          };
        left -= page.length;
        if (page.length < listPage) break;
      }
    } finally {
      await orthanc.close();
    }
  }
}
