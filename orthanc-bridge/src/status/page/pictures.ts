import { byId } from './elements.ts';

/** Shows a slice before and after at full size. */
export function showPictures(job: string): void {
  for (const side of ['before', 'after'] as const)
    byId(`picture-${side}`, HTMLImageElement).src = `/api/jobs/${job}/images/${side}`;
  byId('pictures', HTMLDialogElement).showModal();
}

/** Nothing of a patient stays on the page when the dialog is closed. */
export function forgetPicturesOnClose(): void {
  byId('pictures').addEventListener('close', () => {
    for (const side of ['before', 'after'] as const) byId(`picture-${side}`).removeAttribute('src');
  });
}
