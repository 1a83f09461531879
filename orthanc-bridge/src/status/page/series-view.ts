import type { Overview } from '../views.ts';
import type { PageState } from './bridge-state.ts';
import { byId, make } from './elements.ts';
import { bytes } from './format.ts';
import { doneCard, failedTable, runningCard, waitingTable, type JobContext } from './job-views.ts';

const names = {
  queued: 'Waiting',
  running: 'Running',
  done: 'Finished',
  quarantined: 'Quarantined',
  failed: 'Failed',
} as const;

/** Draws the view of the series. What did not change stays as it is, so that pictures do not flicker. */
export function render(state: PageState, context: JobContext): void {
  const { overview } = state;
  document.title = `CipherDose bridge ${overview.bridge}`;
  byId('bridge-name').textContent = overview.bridge;
  byId('user').textContent = overview.user;
  renderPeers(overview);
  renderCounts(overview);
  byId('work-state').textContent = overview.paused
    ? 'Paused: no series starts.'
    : 'Takes series as they come.';
  byId('pause').textContent = overview.paused ? 'Resume' : 'Pause';
  document.body.dataset['paused'] = String(overview.paused);

  const [running, queued] = [state.jobs('running'), state.jobs('queued')];
  const [failed, done] = [state.jobs('failed', 'quarantined'), state.jobs('done')];
  const some = (parts: readonly HTMLElement[], none: string): readonly HTMLElement[] =>
    parts.length > 0 ? parts : [make('p.quiet', {}, none)];
  const whole = (jobs: readonly unknown[], draw: () => HTMLElement): HTMLElement[] =>
    jobs.length > 0 ? [draw()] : [];
  replace(
    'running',
    some(
      running.map((job) => runningCard(job, context)),
      'No series runs.',
    ),
  );
  replace(
    'queued',
    some(
      whole(queued, () => waitingTable(queued)),
      'No series waits.',
    ),
  );
  replace(
    'failed',
    some(
      whole(failed, () => failedTable(failed, context)),
      'Nothing failed.',
    ),
  );
  replace(
    'done',
    some(
      done.map((job) => doneCard(job, context)),
      'No series is finished yet.',
    ),
  );
}

/** Puts new parts in the place of those that look different. */
function replace(id: string, parts: readonly HTMLElement[]): void {
  const place = byId(id);
  const before = [...place.children];
  const same = parts.map((part) => before.find((old) => signature(old) === signature(part)) ?? part);
  if (same.length === before.length && same.every((part, index) => part === before[index])) return;
  place.replaceChildren(...same);
}

/** What the bridge said, without what was filled in later. */
function signature(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const place of copy.querySelectorAll('[data-patient]')) place.textContent = '';
  for (const locked of copy.querySelectorAll('[disabled]')) locked.removeAttribute('disabled');
  return copy.outerHTML;
}

function renderPeers({ peers }: Overview): void {
  const items = peers
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, reachable }) => {
      const [kind = name, own] = name.split(':');
      const label = kind === 'orthanc' ? `Orthanc ${own ?? ''}` : kind === 'host' ? 'Model host' : 'Queue';
      return make(
        'li',
        { 'data-reachable': String(reachable) },
        label,
        make('span', {}, reachable ? ' answers' : ' does not answer'),
      );
    });
  replace('peers', items);
}

function renderCounts({ counts, disk }: Overview): void {
  const entries = Object.entries(names).map(([state, name]) => [
    state,
    name,
    String(counts[state as 'done']),
  ]);
  const low = disk.freeMegabytes < disk.watermarkMegabytes;
  const free = ['disk', low ? 'Disk: too full' : 'Disk free', bytes(disk.freeMegabytes * 2 ** 20)];
  replace(
    'counts',
    [...entries, free].map(([state = '', name = '', value = '']) =>
      make(
        'div',
        { 'data-count': state, 'data-low': state === 'disk' ? String(low) : undefined },
        make('dt', {}, name),
        make('dd', {}, value),
      ),
    ),
  );
}
