import { DenoiseError } from '@cipherdose/sdk/errors';
import type { ApplicationState } from '../application-state.ts';
import { failureText, type FailureText } from '../panel/failure-text.ts';
import { productTitle } from '../panel/wording.ts';
import type { Store } from '../run/store.ts';
import type { Viewer } from '../viewer/viewer.ts';

/** Messages: one at a time, in the panel if it is on screen, else over the images. */
export interface Notices {
  fail(error: unknown): void;
  tell(text: FailureText, type?: 'info' | 'error'): void;
  /** The panel is on screen. @returns it is gone again */
  panelShown(): () => void;
}

const noticeId = 'cipherdose-notice';

export function createNotices(viewer: Viewer, state: Store<ApplicationState>): Notices {
  let panels = 0;

  function tell(failure: FailureText, type: 'info' | 'error' = 'error'): void {
    state.set({ failure, announcement: failure.title });
    const { uiNotificationService } = viewer.services;
    uiNotificationService.hide(noticeId);
    if (panels > 0) return;
    const message = `${failure.title} ${failure.advice}`;
    uiNotificationService.show({ id: noticeId, title: productTitle, message, type, duration: 6000 });
  }

  return {
    tell,
    fail(error) {
      const cancelled = error instanceof DenoiseError && error.code === 'CANCELLED';
      tell(failureText(error), cancelled ? 'info' : 'error');
    },
    panelShown() {
      panels++;
      return () => void panels--;
    },
  };
}
