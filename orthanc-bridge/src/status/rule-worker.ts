import { chooseRule, type RuleChoice } from '../rules/match-rule.ts';
import type { Rule } from '../rules/rule-schema.ts';
import type { SeriesFacts } from '../rules/series-facts.ts';

export interface RuleTask {
  readonly rules: readonly Rule[];
  readonly series: readonly SeriesFacts[];
  readonly now: Date;
}

/** Runs in a worker thread: a regular expression that somebody tries can take for ever, and is then ended from outside. */
export default function choose({ rules, series, now }: RuleTask): RuleChoice[] {
  return series.map((facts) => chooseRule(rules, facts, now));
}
