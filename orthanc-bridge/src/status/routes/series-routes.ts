import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import type { AuditTrail } from '../../audit/audit-trail.ts';
import type { BridgeControls, BridgeState } from '../../bridge.ts';
import { jobFacts } from '../../job/attempt-job.ts';
import type { OrthancClient } from '../../orthanc/orthanc-client.ts';
import type { SeriesImages } from '../series-images.ts';
import { studyAddress } from '../study-address.ts';
import { jobListSchema, jobSchema, jobStateSchema, patientSchema, viewJob } from '../views.ts';

export interface SeriesRouteOptions {
  readonly bridge: Pick<BridgeState, 'jobs' | 'job' | 'progress'> & Pick<BridgeControls, 'replay'>;
  readonly orthancs: ReadonlyMap<string, OrthancClient>;
  /** Undefined: no pictures are shown. */
  readonly images: Pick<SeriesImages, 'render'> | undefined;
  readonly showPatientNames: boolean;
  /** By name of the Orthanc. */
  readonly viewers: ReadonlyMap<string, string>;
  readonly audit: Pick<AuditTrail, 'append'>;
}

const params = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });
const imageParams = params.extend({ side: z.enum(['before', 'after']) });
const states = z.union([jobStateSchema, z.array(jobStateSchema)]);
const query = z.object({
  state: states.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

export const seriesRoutes: FastifyPluginAsyncZod<SeriesRouteOptions> = async (app, options) => {
  const { bridge, orthancs, images, showPatientNames, viewers, audit } = options;
  /** Who has looked at pictures of what, so that the audit trail says so once a session. */
  const viewed = new Set<string>();

  const studyOf = async (id: string) => {
    const job = await bridge.job(id);
    const orthanc = orthancs.get(job.orthanc);
    if (!orthanc) throw new DenoiseError('SERIES_GONE', { orthanc: job.orthanc });
    return { job, study: await orthanc.study(job.study) };
  };

  app.get(
    '/api/jobs',
    { schema: { querystring: query, response: { 200: jobListSchema } } },
    async (request) => {
      const { state, limit } = request.query;
      const jobs = await bridge.jobs({ limit, ...(state === undefined ? {} : { states: [state].flat() }) });
      return { jobs: jobs.map((job) => viewJob(job, bridge.progress().get(job.id))) };
    },
  );

  app.get('/api/jobs/:id', { schema: { params, response: { 200: jobSchema } } }, async (request) => {
    const job = await bridge.job(request.params.id);
    return viewJob(job, bridge.progress().get(job.id));
  });

  app.post('/api/jobs/:id/replay', { schema: { params } }, async (request, reply) => {
    await bridge.replay(request.params.id, request.user);
    return reply.code(204).send();
  });

  app.get('/api/jobs/:id/images/:side', { schema: { params: imageParams } }, async (request, reply) => {
    if (!images) throw new DenoiseError('ROUTE_UNKNOWN');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { id, side } = request.params;
    const job = await bridge.job(id);
    const png = await images.render(job, side, gone.signal);
    const view = `${request.session.sessionId} ${id}`;
    if (!viewed.has(view)) {
      if (viewed.size >= mostViews) viewed.clear();
      viewed.add(view);
      await audit.append({ event: 'viewed', who: request.user, ...jobFacts(job) });
    }
    return reply.type('image/png').send(png);
  });

  app.get(
    '/api/jobs/:id/patient',
    { schema: { params, response: { 200: patientSchema } } },
    async (request) => {
      if (!showPatientNames) throw new DenoiseError('ROUTE_UNKNOWN');
      const { study } = await studyOf(request.params.id);
      return { name: study.PatientMainDicomTags?.PatientName ?? '' };
    },
  );

  app.get('/jobs/:id/viewer', { schema: { params } }, async (request, reply) => {
    const { job, study } = await studyOf(request.params.id);
    const template = viewers.get(job.orthanc);
    if (template === undefined) throw new DenoiseError('ROUTE_UNKNOWN');
    const { StudyInstanceUID } = study.MainDicomTags;
    return reply.redirect(studyAddress(template, { study: StudyInstanceUID, orthancStudy: job.study }), 303);
  });
};

const mostViews = 10_000;
