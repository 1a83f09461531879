import type { Overview, RulesView, TrialView } from '../views.ts';
import { get, post } from './bridge-api.ts';
import { byId, make, table } from './elements.ts';
import { shortId } from './format.ts';

type Rule = RulesView['rules'][number];

/** Shows the rules that run and lets others be tried. @throws Refusal */
export async function showRules({ orthancs }: Overview): Promise<void> {
  const { rules, text, learns } = await get<RulesView>('/api/rules');
  byId('rules').replaceChildren(...rules.map((rule) => ruleItem(rule, learns)));
  const box = byId('trial-rules', HTMLTextAreaElement);
  if (box.value === '') box.value = text;
  const choice = byId('trial-orthanc', HTMLSelectElement);
  if (choice.options.length === 0)
    choice.append(
      make('option', { value: '' }, 'all'),
      ...orthancs.map((name) => make('option', { value: name }, name)),
    );
}

/** Conditions and action in words, and what each side learns. */
function ruleItem({ name, match, action }: Rule, learns: RulesView['learns']): HTMLElement {
  const conditions = Object.entries(match).map(([field, wanted]) => condition(field, wanted));
  const { model, mode, strength, writeTo, priority, gaps, derived } = action;
  const effects = [
    `model ${model}`,
    mode ? `mode ${mode}` : 'the first mode of the model',
    strength < 1 ? `strength ${strength}` : undefined,
    writeTo && `write to ${writeTo}`,
    priority === 0 ? undefined : `priority ${priority}`,
    gaps === 'accept' ? 'gaps allowed' : undefined,
    derived === 'accept' ? 'derived images too' : undefined,
  ].filter((effect) => effect !== undefined);
  return make(
    'li',
    {},
    make('strong', {}, name),
    make('p', {}, conditions.length === 0 ? 'Every CT series' : conditions.join(', ')),
    make('p.quiet', {}, `→ ${effects.join(', ')}`),
    mode && make('p.quiet', { 'data-learns': mode }, learns[mode]),
  );
}

function condition(field: string, wanted: unknown): string {
  const { min, max } = Object(wanted) as { min?: number; max?: number };
  if (min !== undefined || max !== undefined)
    return [min === undefined ? '' : `${min} ≤ `, field, max === undefined ? '' : ` ≤ ${max}`].join('');
  return `${field} is ${[wanted].flat().join(' or ')}`;
}

export function listenToTrial(): void {
  byId('trial', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void tryRules();
  });
}

async function tryRules(): Promise<void> {
  const error = byId('trial-error');
  const results = byId('trial-results');
  const field = (id: string): string => byId<HTMLInputElement>(id).value.trim();
  error.textContent = '';
  results.replaceChildren(make('p.quiet', {}, 'Looking …'));
  const [orthanc, series] = [field('trial-orthanc'), field('trial-series')];
  try {
    const trial = await post<TrialView>('/api/dry-run', {
      rules: field('trial-rules'),
      most: Number(field('trial-most')) || 25,
      ...(orthanc === '' ? {} : { orthanc }),
      ...(series === '' ? {} : { series }),
    });
    results.replaceChildren(...trialResult(trial));
  } catch (failure) {
    results.replaceChildren();
    error.textContent = failure instanceof Error ? failure.message : String(failure);
  }
}

function trialResult({ results, more }: TrialView): Node[] {
  if (results.length === 0) return [make('p.quiet', {}, 'There is no CT series.')];
  const taken = results.filter(({ rule }) => rule !== undefined).length;
  const rows = results.map(({ orthanc, series, instances, rule, refused }) => [
    make('span.series', { title: series }, shortId(series)),
    orthanc,
    String(instances),
    rule === undefined ? make('span.quiet', {}, 'no rule') : make('strong', {}, rule),
    make(
      'ul.reasons',
      {},
      ...refused.map((each) => make('li', {}, `not ${each.rule}: ${each.reasons.join('; ')}`)),
    ),
  ]);
  return [
    make('p', {}, `${taken} of ${results.length} would be taken.${more ? ' There are more series.' : ''}`),
    table(['Series', 'Orthanc', 'Instances', 'Taken by', 'Why not'], rows),
  ];
}
