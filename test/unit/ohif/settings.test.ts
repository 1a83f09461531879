import { describe, expect, test } from '@jest/globals';
import { checkAdminSettings } from '#ohif/settings/admin-settings.js';
import { loadUserSettings, saveUserSettings } from '#ohif/settings/user-settings.js';

describe('settings of the administrator', () => {
  test('nothing set: the host on the same origin, all models, whole series', () => {
    expect(checkAdminSettings(undefined)).toMatchObject({
      serverUrl: '/cipherdose',
      defaultRange: 'series',
      authentication: { kind: 'none' },
    });
  });

  test.each([
    [{ serverURL: 'x' }, 'window.config.cipherDose'],
    [{ authentication: { kind: 'magic' } }, 'window.config.cipherDose.authentication'],
    [{ workers: 0 }, 'window.config.cipherDose.workers'],
    [{ descriptionSuffix: 'x'.repeat(33) }, 'window.config.cipherDose.descriptionSuffix'],
  ])('%j is refused by name', (settings, name) => {
    expect(() => checkAdminSettings(settings)).toThrow(name);
  });
});

describe('settings of the user', () => {
  const storage = (text: string | null) => ({
    text,
    getItem() {
      return this.text;
    },
    setItem(_key: string, value: string) {
      this.text = value;
    },
  });

  test('come back', () => {
    const kept = storage(null);
    saveUserSettings(kept, { model: 'linear', range: 'slice', strength: 60 });
    expect(loadUserSettings(kept)).toEqual({ model: 'linear', range: 'slice', strength: 60 });
  });

  test('what is damaged is left out, and the rest stays', () => {
    expect(loadUserSettings(storage('{"model":"linear","range":"all","strength":500}'))).toMatchObject({
      model: 'linear',
    });
    expect(loadUserSettings(storage('no JSON'))).toEqual({});
  });

  test('a browser that keeps nothing is no failure', () => {
    const full = {
      getItem: () => null,
      setItem() {
        throw new Error('full');
      },
    };
    expect(() => saveUserSettings(full, { model: 'linear' })).not.toThrow();
  });
});
