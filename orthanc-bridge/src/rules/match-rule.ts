import type { Rule, RuleMatch } from './rule-schema.ts';
import type { SeriesFacts } from './series-facts.ts';
import { textPattern } from './text-pattern.ts';

const textConditions = [
  'modality',
  'bodyPart',
  'manufacturer',
  'model',
  'kernel',
  'protocol',
  'seriesDescription',
  'sourceAet',
] as const;
const rangeConditions = ['sliceThickness', 'kvp', 'mas', 'instances'] as const;

/** @returns why the rule does not take the series; nothing if it does. Reasons quote what the scanner wrote. */
export function matchRule({ match, action }: Rule, series: SeriesFacts, now: Date): readonly string[] {
  if (series.madeByUs) return ['the series was made by CipherDose'];
  if (series.imageType[0] === 'DERIVED' && action.derived !== 'accept')
    return ['the series is derived from another (ImageType)'];
  return [
    ...textConditions.flatMap((name) => textReasons(name, match, series[name])),
    ...rangeConditions.flatMap((name) => rangeReasons(name, match, series[name])),
    ...timeReasons(match, now),
  ];
}

function textReasons(
  name: (typeof textConditions)[number],
  match: RuleMatch,
  value: string | undefined,
): string[] {
  const wanted = match[name];
  if (wanted === undefined) return [];
  if (value === undefined) return [`${name} is missing`];
  const sources = [wanted].flat();
  return sources.some((source) => textPattern(source)?.(value))
    ? []
    : [`${name} '${value}' does not match ${sources.join(' or ')}`];
}

function rangeReasons(
  name: (typeof rangeConditions)[number],
  match: RuleMatch,
  value: number | undefined,
): string[] {
  const range = match[name];
  if (range === undefined) return [];
  if (value === undefined) return [`${name} is missing`];
  if (range.min !== undefined && value < range.min) return [`${name} ${value} is below ${range.min}`];
  if (range.max !== undefined && value > range.max) return [`${name} ${value} is above ${range.max}`];
  return [];
}

function timeReasons({ timeOfDay }: RuleMatch, now: Date): string[] {
  if (timeOfDay === undefined) return [];
  const [from = 0, to = 0] = timeOfDay.split('-').map(minutesOf);
  const minute = now.getHours() * 60 + now.getMinutes();
  const within = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  return within ? [] : [`it is not ${timeOfDay}`];
}

function minutesOf(clock: string): number {
  const [hours, minutes] = clock.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** What the rules say about a series: the first that takes it, and why those before it do not. */
export interface RuleChoice {
  readonly rule: Rule | undefined;
  readonly refused: readonly { readonly rule: string; readonly reasons: readonly string[] }[];
}

/** The first rule that matches. Ours is never taken (loop guard), derived by anybody only where the rule says so. */
export function chooseRule(rules: readonly Rule[], series: SeriesFacts, now: Date): RuleChoice {
  const refused: { rule: string; reasons: readonly string[] }[] = [];
  for (const rule of rules) {
    const reasons = matchRule(rule, series, now);
    if (reasons.length === 0) return { rule, refused };
    refused.push({ rule: rule.name, reasons });
  }
  return { rule: undefined, refused };
}
