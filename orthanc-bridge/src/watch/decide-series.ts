import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { BridgeEvents } from '../events.ts';
import { jobFacts } from '../job/attempt-job.ts';
import { sourceState, type OrthancSeries } from '../orthanc/answers.ts';
import type { OrthancClient } from '../orthanc/orthanc-client.ts';
import type { SeriesQueue } from '../queue/series-queue.ts';
import { chooseRule, type RuleChoice } from '../rules/match-rule.ts';
import type { Rule } from '../rules/rule-schema.ts';
import { seriesFacts, type SeriesFacts } from '../rules/series-facts.ts';
import type { JobRecord } from '../store/job-record.ts';
import { jobId, type JobStore } from '../store/job-store.ts';
import type { ModelVersions } from './model-versions.ts';

export interface DecisionTools {
  readonly rules: readonly Rule[];
  readonly jobs: JobStore;
  readonly queue: SeriesQueue;
  readonly models: ModelVersions;
  readonly audit: AuditTrail;
  readonly events: BridgeEvents;
  readonly bridge: string;
  readonly now: () => Date;
}

/**
 * Gives a series to the first rule that takes it. May be called again: what is done or under way stays so.
 * @throws ORTHANC_*, HOST_*, QUEUE_UNAVAILABLE: then nothing is decided and the series has to be looked at again
 */
export async function decideSeries(
  orthanc: OrthancClient,
  series: OrthancSeries,
  tools: DecisionTools,
): Promise<void> {
  const { jobs, queue, models, events } = tools;
  const uid = series.MainDicomTags['SeriesInstanceUID'] ?? '';
  const facts = (await jobs.isDerivedSeries(uid)) ? undefined : await factsOf(orthanc, series);
  const rule = facts && chooseRule(tools.rules, facts, tools.now()).rule;
  if (!rule) {
    events.emit('skipped', orthanc.name, series.ID);
    return;
  }
  const { id: model, version, digest, modes } = await models.get(rule.action.model);
  const mode = rule.action.mode ?? modes[0];
  const job = await jobs.request({
    ...{ orthanc: orthanc.name, series: series.ID, study: series.ParentStudy },
    ...{ model, version, digest, rule: rule.name },
    ...{ instances: series.Instances.length, sourceState: sourceState(series) },
    action: { ...rule.action, ...(mode === undefined ? {} : { mode }) },
  });
  if (!job)
    return checkVersion(await jobs.get(jobId({ orthanc: orthanc.name, series: series.ID, model, version })));
  await tools.audit.append({ event: 'queued', who: tools.bridge, ...jobFacts(job) });
  await queue.dropDead(job.id);
  await queue.send(job.id, job.action.priority);
  events.emit('job', job);
}

/** @throws PLAN_DIGEST if the host had another version when the job ran: what is known of the host is out of date */
function checkVersion({ state, errorCode, model, version }: JobRecord): void {
  if (state === 'quarantined' && errorCode === 'PLAN_DIGEST')
    throw new DenoiseError('PLAN_DIGEST', { model, version });
}

/** Reads what rules look at from the first instance. @returns undefined if there is no CT in it or it is gone */
export async function factsOf(
  orthanc: OrthancClient,
  series: OrthancSeries,
): Promise<SeriesFacts | undefined> {
  const [first] = series.Instances;
  if (first === undefined || series.MainDicomTags['Modality'] !== 'CT') return undefined;
  const [tags, sourceAet] = await Promise.all([
    orthanc.instanceTags(first),
    orthanc.metadata('instances', first, 'RemoteAET'),
  ]);
  return seriesFacts(tags, series.Instances.length, sourceAet);
}

/** What the rules would do with a series now; changes nothing. */
export async function explainSeries(
  orthanc: OrthancClient,
  series: OrthancSeries,
  rules: readonly Rule[],
  now: Date,
): Promise<RuleChoice> {
  const facts = await factsOf(orthanc, series);
  if (facts) return chooseRule(rules, facts, now);
  return {
    rule: undefined,
    refused: rules.map(({ name }) => ({ rule: name, reasons: ['there is no CT image'] })),
  };
}
