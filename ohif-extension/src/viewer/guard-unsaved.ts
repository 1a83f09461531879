const question = 'Denoised slices are not saved yet and will be lost. Leave anyway?';
const leaving = '[data-cy="return-to-work-list"]';

/** Asks before unsaved results vanish: on closing or reloading the page, and on OHIF's way back to the study list. */
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
  addEventListener('beforeunload', onUnload);
  document.addEventListener('click', onClick, true);
  return () => {
    removeEventListener('beforeunload', onUnload);
    document.removeEventListener('click', onClick, true);
  };
}
