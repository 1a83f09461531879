import { config } from 'zod';
import { createApplication, type Application } from './application.ts';
import type { ExtensionContext } from './ohif.ts';
import { createPanel } from './panel/mount.tsx';
import { checkAdminSettings } from './settings/admin-settings.ts';
import { drawIcon } from './viewer/icon.ts';
import { guardUnsaved } from './viewer/guard-unsaved.ts';
import { openViewer } from './viewer/viewer.ts';

// A content security policy may forbid eval; without this zod would try it and be reported.
config({ jitless: true });

export const extensionId = '@cipherdose/ohif-extension';

let application: Application | undefined;
let cleanUp: (() => void)[] = [];

const run = (act: (application: Application) => unknown) => ({
  commandFn: () => application && act(application),
});

/** The extension, as OHIF registers it. */
const extension = {
  id: extensionId,

  /** @throws Error that names the field of `window.config.cipherDose` that is wrong */
  preRegistration(context: ExtensionContext): void {
    const settings = context.configuration?.['cipherDose'] ?? context.appConfig?.['cipherDose'];
    application = createApplication(openViewer(context), checkAdminSettings(settings));
  },

  onModeEnter({ servicesManager }: ExtensionContext): void {
    const app = application;
    if (!app) return;
    const { viewportGridService } = servicesManager.services;
    const events = ['ACTIVE_VIEWPORT_ID_CHANGED', 'GRID_STATE_CHANGED', 'VIEWPORTS_READY'];
    cleanUp = [
      drawIcon({ '[data-cy="CipherDose"]': 28, '[data-cy="denoise-btn"]': 22 }),
      guardUnsaved(() => app.state.get().results.some(({ series }) => series.unsaved)),
      ...events.flatMap((name) => {
        const event = viewportGridService.EVENTS[name];
        if (event === undefined) return [];
        const subscription = viewportGridService.subscribe(event, () => app.update());
        return [() => subscription.unsubscribe()];
      }),
    ];
    app.update();
  },

  onModeExit(): void {
    for (const end of cleanUp) end();
    cleanUp = [];
    application?.leave();
  },

  getCommandsModule: () => ({
    definitions: {
      'cipherdose.denoise': run((app) => app.denoise()),
      'cipherdose.cancel': run((app) => app.cancel()),
      'cipherdose.compare': run((app) => app.compare()),
      'cipherdose.difference': run((app) => app.difference()),
      'cipherdose.blink': run((app) => app.blink()),
      'cipherdose.save': run((app) => app.save()),
      'cipherdose.download': run((app) => app.download()),
    },
    defaultContext: 'DEFAULT',
  }),

  getPanelModule: () => [
    {
      name: 'denoise',
      iconName: 'status-locked',
      iconLabel: 'Denoise',
      label: 'Denoise',
      component: createPanel(() => application),
    },
  ],

  getToolbarModule: () => [
    {
      name: 'evaluate.cipherdose.denoise',
      evaluate() {
        const reason = application?.refusal();
        // Both each time: the toolbar keeps what an earlier answer said.
        return { disabled: reason !== undefined, disabledText: reason };
      },
    },
  ],
};

export default extension;
