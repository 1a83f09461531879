import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ReadResult } from './dicom-jobs.ts';
import { byId, create } from './elements.ts';
import { failureText, type FailureText } from './failure-text.ts';

/** The one place where the page says what went wrong and what to do. */
export interface Notice {
  failure(error: unknown): void;
  refused(files: ReadResult['refused']): void;
  clear(): void;
}

const denoisedAlready: FailureText = {
  title: 'This slice was denoised already.',
  advice: 'Choose the original slice.',
};

export function createNotice(): Notice {
  const element = byId('notice', HTMLElement);

  function show({ title, advice }: FailureText, ...more: readonly HTMLElement[]): void {
    element.replaceChildren(create('strong', {}, title), create('p', {}, advice), ...more);
    element.hidden = false;
  }

  return {
    failure: (error) => show(failureText(error)),
    refused(files) {
      const refusals = files.map(({ name, error }) => ({
        name,
        reason: error ? failureText(DenoiseError.deserialise(error)) : denoisedAlready,
      }));
      const [first] = refusals;
      if (!first) return;
      if (refusals.length === 1) return show(first.reason, create('p', { class: 'file' }, first.name));
      const items = refusals.map(({ name, reason }) => create('li', {}, `${name}: ${reason.title}`));
      const title = `${refusals.length} files were not taken.`;
      show({ title, advice: first.reason.advice }, create('ul', {}, ...items));
    },
    clear() {
      element.hidden = true;
      element.replaceChildren();
    },
  };
}
