import { afterAll, expect, test } from '@jest/globals';
import type { OrthancClient } from '#bridge/orthanc/orthanc-client.js';
import { parseRules } from '#bridge/status/parse-rules.js';
import { RuleTrial } from '#bridge/status/rule-trial.js';

const series = (id: string) => ({
  ...{ ID: id, Instances: [`${id}-1`], IsStable: true, ParentStudy: 's' },
  MainDicomTags: { Modality: id.startsWith('mr') ? 'MR' : 'CT' },
});
const orthanc = (name: string, ...ids: readonly string[]): [string, OrthancClient] => {
  const client = {
    name,
    listCtSeries: async (since: number, limit: number) => ids.slice(since, since + limit).map(series),
    findSeries: async (id: string) => (ids.includes(id) ? series(id) : undefined),
    instanceTags: async () => ({ Modality: 'CT', SeriesDescription: `${'a'.repeat(40)}!` }),
    metadata: async () => 'CT3',
  };
  return [name, client as unknown as OrthancClient];
};

const trial = new RuleTrial(
  new Map([orthanc('one', 'a', 'b', 'mr'), orthanc('two', 'c')]),
  () => new Date(2026, 0, 1, 12),
);
afterAll(() => trial.close());

const rules = parseRules('rules: [{ name: ct3, match: { sourceAet: CT3 }, action: { model: linear } }]');
const names = async (question: Omit<Parameters<RuleTrial['run']>[0], 'rules'>) => {
  const { results, more } = await trial.run({ rules, ...question });
  return [
    results.map((each) => `${each.orthanc} ${each.series} ${each.rule ?? each.refused[0]?.reasons}`),
    more,
  ];
};

test('looks at so many series, or one Orthanc, or one series, and says whether there are more', async () => {
  const all = ['one a ct3', 'one b ct3', 'one mr there is no CT image', 'two c ct3'];
  expect(await names({ most: 10 })).toEqual([all, false]);
  expect(await names({ most: 4 })).toEqual([all, false]);
  expect(await names({ most: 3 })).toEqual([all.slice(0, 3), true]);
  expect(await names({ most: 2 })).toEqual([all.slice(0, 2), true]);
  expect(await names({ most: 9, orthanc: 'two' })).toEqual([['two c ct3'], false]);
  expect(await names({ most: 9, series: 'c' })).toEqual([['two c ct3'], false]);
  await expect(names({ most: 9, series: 'gone' })).rejects.toMatchObject({ code: 'SERIES_GONE' });
});

test('a regular expression that takes for ever is ended, and the next trial works', async () => {
  const slow = parseRules(
    String.raw`rules: [{ name: slow, match: { seriesDescription: '/^(\w+\s?)*$/' }, action: { model: linear } }]`,
  );
  await expect(trial.run({ rules: slow, most: 1 })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    details: { reason: 'the regular expressions take too long' },
  });
  expect(await names({ most: 1 })).toEqual([['one a ct3'], true]);
});
