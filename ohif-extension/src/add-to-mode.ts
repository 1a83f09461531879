import type { Services } from './ohif.ts';
import { productTitle } from './panel/wording.ts';

/** For the `rightPanels` of a mode. */
export const panelName = '@cipherdose/ohif-extension.panelModule.denoise';

export const hotkeys = [
  { commandName: 'cipherdose.denoise', label: 'Denoise (private)', keys: ['shift+d'], isEditable: true },
  { commandName: 'cipherdose.compare', label: 'Compare with denoised', keys: ['shift+c'], isEditable: true },
  { commandName: 'cipherdose.blink', label: 'Blink before and after', keys: ['b'], isEditable: true },
  { commandName: 'cipherdose.save', label: 'Save denoised series', keys: ['shift+s'], isEditable: true },
];

/** Adds the toolbar button and the hotkeys to the mode that is being entered. */
export function addToViewer({ toolbarService, customizationService }: Services): void {
  toolbarService.register([
    {
      id: 'CipherDose',
      uiType: 'ohif.toolButton',
      props: {
        icon: 'status-locked',
        label: productTitle,
        tooltip: productTitle,
        commands: 'cipherdose.denoise',
        evaluate: 'evaluate.cipherdose.denoise',
      },
    },
  ]);
  toolbarService.updateSection(toolbarService.sections.primary, ['CipherDose']);
  customizationService?.setCustomizations?.({ 'ohif.hotkeyBindings': { $push: hotkeys } }, 'mode');
}
