const question = 'Denoised slices are not saved yet and will be lost. Leave anyway?';
const leaving = '[data-cy="return-to-work-list"]';

/** What is used of the Navigation API, which not every browser has. */
interface Navigation {
  addEventListener(type: 'navigate', listener: (event: NavigateEvent) => void): void;
  removeEventListener(type: 'navigate', listener: (event: NavigateEvent) => void): void;
}
interface NavigateEvent extends Event {
  readonly navigationType: 'push' | 'reload' | 'replace' | 'traverse';
}

/**
 * Asks before unsaved results vanish: on closing or reloading the page, on OHIF's way back to the study list, and, in
 * browsers that let a page ask, on the way back of the browser itself.
 */
export function guardUnsaved(unsaved: () => boolean): () => void {
  const onUnload = (event: BeforeUnloadEvent): void => {
    if (unsaved()) event.preventDefault();
  };
  const onClick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target.closest(leaving) : null;
    if (!target || !unsaved() || confirm(question)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  const onNavigate = (event: NavigateEvent): void => {
    if (event.navigationType !== 'traverse' || !event.cancelable) return;
    if (unsaved() && !confirm(question)) event.preventDefault();
  };
  const { navigation } = globalThis as { readonly navigation?: Navigation };
  addEventListener('beforeunload', onUnload);
  navigation?.addEventListener('navigate', onNavigate);
  document.addEventListener('click', onClick, true);
  return () => {
    removeEventListener('beforeunload', onUnload);
    navigation?.removeEventListener('navigate', onNavigate);
    document.removeEventListener('click', onClick, true);
  };
}
