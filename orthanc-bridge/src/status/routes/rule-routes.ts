import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { stringify } from 'yaml';
import { z } from 'zod';
import { modeDisclosure } from '@cipherdose/sdk/protocol';
import type { Rule } from '../../rules/rule-schema.ts';
import { parseRules } from '../parse-rules.ts';
import type { RuleTrial } from '../rule-trial.ts';
import { rulesSchema, trialSchema } from '../views.ts';

const question = z.strictObject({
  /** Rules to try in the place of those that run. */
  rules: z.string().max(100_000).optional(),
  orthanc: z.string().max(64).optional(),
  series: z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/)
    .optional(),
  most: z.int().min(1).max(200).default(25),
});

export const ruleRoutes: FastifyPluginAsyncZod<{
  readonly rules: readonly Rule[];
  readonly trial: Pick<RuleTrial, 'run'>;
}> = async (app, { rules, trial }) => {
  app.get('/api/rules', { schema: { response: { 200: rulesSchema } } }, async () => ({
    rules: [...rules],
    text: stringify({ rules }, { lineWidth: 100 }),
    learns: modeDisclosure,
  }));

  app.post(
    '/api/dry-run',
    { schema: { body: question, response: { 200: trialSchema } } },
    async ({ body: { rules: tried, ...where } }) =>
      trial.run({ rules: tried === undefined ? rules : parseRules(tried), ...where }),
  );
};
