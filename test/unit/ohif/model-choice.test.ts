import { describe, expect, test } from '@jest/globals';
import type { Mode, ModelSummary } from '@cipherdose/sdk';
import { chooseModel } from '#ohif/model-host.js';
import { checkAdminSettings } from '#ohif/settings/admin-settings.js';

const summary = (id: string, modes: Mode[]): ModelSummary => ({
  ...{ id, version: '1.0.0', digest: '0'.repeat(64), modes, summary: 'test' },
  cost: { rounds: 1, ciphertextsUp: 1, ciphertextsDown: 1, bytesUp: 1, bytesDown: 1, products: 1 },
});
const both = summary('both', ['interactive', 'private']);
const secret = summary('secret', ['private']);
const admin = checkAdminSettings({ defaultModel: 'both', defaultMode: 'private' });

describe('the mode of a run', () => {
  test('is the one that the administrator prefers, until the user chooses', () => {
    expect(chooseModel([both, secret], {}, admin)).toEqual({ model: both, mode: 'private' });
    expect(chooseModel([both], { mode: 'interactive' }, admin)?.mode).toBe('interactive');
  });

  test('is one that the model offers, whatever was chosen before', () => {
    const user = { model: 'secret', mode: 'interactive' } as const;
    expect(chooseModel([both, secret], user, admin)).toEqual({ model: secret, mode: 'private' });
    const none = checkAdminSettings({});
    expect(chooseModel([both], {}, none)?.mode).toBe('interactive');
    expect(chooseModel([], user, none)).toBeUndefined();
  });

  test('that no model has cannot be set', () => {
    expect(() => checkAdminSettings({ defaultMode: 'secret' })).toThrow(
      'window.config.cipherDose.defaultMode',
    );
  });
});
