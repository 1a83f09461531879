import { describe, expect, test } from '@jest/globals';
import { chooseRule, matchRule } from '#bridge/rules/match-rule.js';
import { ruleSchema, type RuleMatch } from '#bridge/rules/rule-schema.js';
import { seriesFacts, type SeriesFacts } from '#bridge/rules/series-facts.js';

const facts: SeriesFacts = seriesFacts(
  {
    Modality: 'CT',
    BodyPartExamined: 'CHEST',
    Manufacturer: 'SIEMENS',
    ManufacturerModelName: 'Sensation 16',
    ConvolutionKernel: 'B30f\\3',
    SeriesDescription: 'CT CH/AB/PEL',
    SliceThickness: '3.0',
    KVP: '120',
    Exposure: '40',
    ImageType: 'ORIGINAL\\PRIMARY\\AXIAL',
  },
  120,
  'CT_ROOM_2',
);
const ruleFor = (match: Partial<RuleMatch>, name = 'rule') =>
  ruleSchema.parse({ name, match, action: { model: 'linear' } });
const accepting = ruleSchema.parse({ name: 'archive', action: { model: 'linear', derived: 'accept' } });
const noon = new Date(2026, 10, 24, 12, 0);

describe('a rule takes a series', () => {
  test.each<Partial<RuleMatch>>([
    {},
    { modality: 'ct', manufacturer: 'Siemens*' },
    { kernel: ['B4*', 'B3*'], seriesDescription: '*PEL' },
    { seriesDescription: '/ch.ab/i', sourceAet: 'CT_ROOM_?' },
    { sliceThickness: { min: 3, max: 5 }, kvp: { max: 120 }, mas: { max: 60 }, instances: { min: 100 } },
    { timeOfDay: '11:30-12:01' },
    { timeOfDay: '22:00-13:00' },
  ])('%j', (match) => {
    expect(matchRule(ruleFor(match), facts, noon)).toEqual([]);
  });
});

describe('a rule says why not', () => {
  test.each<[Partial<RuleMatch>, string]>([
    [{ kernel: 'B6*' }, String.raw`kernel 'B30f\3' does not match B6*`],
    [{ protocol: '*' }, 'protocol is missing'],
    [{ kvp: { max: 100 } }, 'kvp 120 is above 100'],
    [{ instances: { min: 200 } }, 'instances 120 is below 200'],
    [{ timeOfDay: '22:00-06:00' }, 'it is not 22:00-06:00'],
  ])('%j', (match, reason) => {
    expect(matchRule(ruleFor(match), facts, noon)).toEqual([reason]);
  });
});

describe('the first rule that matches', () => {
  test('wins, and those before it say why not', () => {
    const rules = [ruleFor({ bodyPart: 'HEAD' }, 'head'), ruleFor({}, 'all'), ruleFor({}, 'never')];
    const { rule, refused } = chooseRule(rules, facts, noon);
    expect(rule?.name).toBe('all');
    expect(refused).toEqual([{ rule: 'head', reasons: ["bodyPart 'CHEST' does not match HEAD"] }]);
  });

  test.each([
    [{ ...facts, imageType: ['DERIVED', 'SECONDARY'] }, 'the series is derived from another (ImageType)'],
    [{ ...facts, madeByUs: true }, 'the series was made by CipherDose'],
  ])('does not take a derived series', (derived, reason) => {
    expect(chooseRule([ruleFor({})], derived, noon)).toEqual({
      rule: undefined,
      refused: [{ rule: 'rule', reasons: [reason] }],
    });
  });

  test('takes what others derived if it says so, and never what CipherDose made', () => {
    const derived = { ...facts, imageType: ['DERIVED', 'PRIMARY'] };
    expect(chooseRule([accepting], derived, noon).rule).toBe(accepting);
    expect(chooseRule([accepting], { ...derived, madeByUs: true }, noon).rule).toBeUndefined();
  });
});
