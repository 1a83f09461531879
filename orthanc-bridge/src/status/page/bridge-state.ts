import type { JobView, LiveMessage, Overview } from '../views.ts';

type JobState = JobView['state'];

/** What the page knows of the bridge: the last overview, kept up to date by live messages. No DOM. */
export class PageState {
  overview: Overview;
  readonly #jobs = new Map<string, JobView>();

  constructor(overview: Overview) {
    this.overview = overview;
    for (const job of overview.jobs) this.#jobs.set(job.id, job);
  }

  /** @returns whether something changed that the overview counts. */
  apply(message: LiveMessage): boolean {
    switch (message.event) {
      case 'job':
        return this.#setJob(message.data);
      case 'progress': {
        const { id, ...progress } = message.data;
        const job = this.#jobs.get(id);
        if (job) this.#jobs.set(id, { ...job, progress });
        return false;
      }
      case 'peer': {
        const others = this.overview.peers.filter(({ name }) => name !== message.data.name);
        this.overview = { ...this.overview, peers: [...others, message.data] };
        return false;
      }
      case 'paused':
        this.overview = { ...this.overview, ...message.data };
        return false;
    }
  }

  /** In the order in which people look for them: what goes next, or what came last. */
  jobs(...states: readonly JobState[]): JobView[] {
    const found = [...this.#jobs.values()].filter(({ state }) => states.includes(state));
    const waiting = states.includes('queued');
    return found.sort((a, b) =>
      waiting
        ? b.priority - a.priority || a.queuedOn.localeCompare(b.queuedOn)
        : lastTime(b).localeCompare(lastTime(a)),
    );
  }

  #setJob(job: JobView): boolean {
    const before = this.#jobs.get(job.id);
    const progress = job.state === 'running' ? before?.progress : undefined;
    this.#jobs.set(job.id, progress ? { ...job, progress } : job);
    if (before?.state === job.state) return false;
    const counts = { ...this.overview.counts };
    if (before) counts[before.state] = Math.max(0, counts[before.state] - 1);
    counts[job.state] += 1;
    this.overview = { ...this.overview, counts };
    return true;
  }
}

const lastTime = ({ finishedOn, startedOn, queuedOn }: JobView): string =>
  finishedOn ?? startedOn ?? queuedOn;
