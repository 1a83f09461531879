import type { JobView, Overview } from '../views.ts';
import { get, post } from './bridge-api.ts';
import { button, make, table } from './elements.ts';
import { bytes, duration, moment, plural, secondsBetween, shortId } from './format.ts';
import { showPictures } from './pictures.ts';

/** What the views of a job need to know about the bridge. */
export interface JobContext {
  readonly overview: Overview;
  /** Runs a task and shows its failure. */
  readonly attempt: (task: () => Promise<void>) => Promise<void>;
}

export function runningCard(job: JobView, { overview }: JobContext): HTMLElement {
  const { progress, worker } = job;
  const slices = progress?.slices ?? job.slices;
  const done = progress?.slicesDone ?? job.written;
  const bar = make('progress', {
    'aria-label': 'Slices done',
    ...(slices === undefined ? {} : { max: String(slices), value: String(done) }),
  });
  const left = progress?.secondsLeft;
  const facts = [
    slices === undefined ? 'Reading the series' : `${done} of ${plural(slices, 'slice')}`,
    left === undefined ? undefined : `about ${duration(left)} left`,
    progress && `${bytes(progress.bytesUp)} sent, ${bytes(progress.bytesDown)} received, encrypted`,
    worker === undefined || worker === overview.bridge ? undefined : `by ${worker}`,
  ];
  return card(job, bar, make('p.facts', {}, facts.filter((fact) => fact !== undefined).join(' · ')));
}

export function waitingTable(jobs: readonly JobView[]): HTMLElement {
  return table(
    ['Series', 'Rule', 'Model', 'Instances', 'Priority', 'Waits since', 'Why'],
    jobs.map((job) => [
      title(job),
      job.rule,
      `${job.model} ${job.version}`,
      String(job.instances),
      String(job.priority),
      moment(job.queuedOn),
      job.failure ? reason(job) : 'its turn',
    ]),
  );
}

export function failedTable(jobs: readonly JobView[], context: JobContext): HTMLElement {
  return table(
    ['Series', 'Rule', 'What happened', 'When', ''],
    jobs.map((job) => [
      title(job),
      job.rule,
      reason(job),
      job.finishedOn === undefined ? '' : moment(job.finishedOn),
      button('Replay', { 'data-replay': job.id, 'aria-label': `Replay ${shortId(job.series)}` }, () =>
        context.attempt(() => post(`/api/jobs/${job.id}/replay`)),
      ),
    ]),
  );
}

export function doneCard(job: JobView, { overview }: JobContext): HTMLElement {
  const seconds = secondsBetween(job.startedOn, job.finishedOn);
  const facts = [
    plural(job.slices ?? 0, 'slice'),
    seconds === undefined ? undefined : `in ${duration(seconds)}`,
    `${bytes(job.bytesUp)} sent, ${bytes(job.bytesDown)} received`,
  ];
  const left = job.leftOut.map(({ reason, instances }) => `${instances} ${reason}`).join(', ');
  return card(
    job,
    overview.shows.images ? thumbnails(job) : undefined,
    make('p.facts', {}, facts.filter((fact) => fact !== undefined).join(' · ')),
    left === '' ? undefined : make('p.facts', {}, `Left out: ${left}`),
    make(
      'p.facts.foot',
      {},
      job.finishedOn === undefined ? '' : moment(job.finishedOn),
      overview.viewers.includes(job.orthanc)
        ? make('a', { href: `/jobs/${job.id}/viewer`, target: '_blank', rel: 'noopener' }, 'Open in viewer')
        : undefined,
    ),
  );
}

function card(job: JobView, ...parts: readonly (Node | undefined)[]): HTMLElement {
  return make(
    'article.card',
    { 'data-job': job.id, 'data-state': job.state },
    make('h3', {}, ...names(job)),
    make(
      'p.quiet',
      {},
      `${job.rule} · ${job.model} ${job.version}`,
      job.mode && make('span', { title: job.learns ?? '', 'data-mode': job.mode }, ` · ${job.mode}`),
    ),
    ...parts,
  );
}

function title(job: JobView): HTMLElement {
  return make('span', { 'data-job': job.id, 'data-state': job.state }, ...names(job));
}

/** Orthanc's id, whole in the tooltip; the patient's name where the configuration asks for it. */
function names({ id, orthanc, series }: JobView): Node[] {
  return [
    make('span.series', { title: `Series ${series}` }, shortId(series)),
    make('span.quiet', {}, ` ${orthanc}`),
    make('span.patient', { 'data-patient': id }),
  ];
}

/** Fills in the names of patients that stand on the page. Called only where the configuration asks for them. */
export function fillPatientNames(known: Map<string, Promise<string>>): void {
  for (const place of document.querySelectorAll<HTMLElement>('[data-patient]:empty')) {
    const id = place.dataset['patient'] ?? '';
    const name =
      known.get(id) ?? get<{ name: string }>(`/api/jobs/${id}/patient`).then((answer) => answer.name);
    known.set(id, name);
    name
      .then((text) => (place.textContent = ` ${text.replaceAll('^', ' ').trim()}`))
      .catch(() => known.delete(id));
  }
}

function reason({ failure, state }: JobView): HTMLElement {
  const details = (failure?.details ?? []).map(({ name, value }) => `${name}: ${value}`).join(', ');
  return make(
    'div.reason',
    {},
    make('p', {}, make('strong', {}, failure?.message ?? state), ' ', make('code', {}, failure?.code ?? '')),
    details === '' ? undefined : make('p.quiet', {}, details),
    make('p', {}, failure?.advice ?? ''),
  );
}

function thumbnails(job: JobView): HTMLElement {
  const picture = (side: 'before' | 'after'): HTMLElement => {
    const image = make('img', {
      src: `/api/jobs/${job.id}/images/${side}`,
      alt: '',
      loading: 'lazy',
      width: '140',
      height: '140',
    });
    const figure = make('span.thumbnail', {}, image, make('span.caption', {}, side));
    image.addEventListener('error', () => figure.replaceChildren(make('span.quiet', {}, 'No picture')));
    return figure;
  };
  const pair = make('button.thumbnails', { type: 'button' }, make('span.unseen', {}, 'Enlarge: '));
  pair.append(picture('before'), picture('after'));
  pair.addEventListener('click', () => showPictures(job.id));
  return pair;
}
