import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { DenoiseError } from '@cipherdose/sdk/errors';
import { configPosition } from '../config/config-position.ts';
import { ruleSchema, type Rule } from '../rules/rule-schema.ts';

const rulesSchema = z.strictObject({ rules: z.array(ruleSchema).max(256) });

/**
 * Reads rules as they stand in a configuration: `rules:` and the list. Unlike there, `${ENV:NAME}` stays as it is: who
 * tries rules shall not read the environment of the bridge.
 * @throws CONFIG_INVALID naming line and field
 */
export function parseRules(text: string): readonly Rule[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [syntaxError] = document.errors;
  if (syntaxError)
    throw new DenoiseError('CONFIG_INVALID', {
      line: lines.linePos(syntaxError.pos[0]).line,
      reason: `is neither YAML nor JSON: ${syntaxError.code}`,
    });
  const parsed = rulesSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (parsed.success) return parsed.data.rules;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknown];
  throw new DenoiseError('CONFIG_INVALID', {
    line: configPosition(document, lines, path),
    field: path.join('.') || 'rules',
    reason: unknown.length > 0 ? 'is not a known field' : (issue?.message ?? ''),
  });
}
