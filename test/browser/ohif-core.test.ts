import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';

// The library entry, in the real managers and services of @ohif/core. They want a browser, so they run in one.

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const packages = ['dcmjs', '@cornerstonejs/core', '@cornerstonejs/metadata', 'gl-matrix'];

let browser: Browser;
let page: Page;

beforeAll(async () => {
  const fetched = spawnSync(process.execPath, [path('tools/fetch-ohif.mjs'), 'core'], { encoding: 'utf8' });
  if (fetched.status !== 0) throw new Error(fetched.stderr);
  const bundled = await build({
    entryPoints: [path('ohif-extension/dist/index.js')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'cipherDose',
    platform: 'browser',
    external: ['module', 'fs', 'path'],
    define: { 'import.meta.url': '"http://ohif.test/"', 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.route('http://ohif.test/', (route) =>
    route.fulfill({ body: '<!doctype html><title>core</title>', contentType: 'text/html' }),
  );
  await page.goto('http://ohif.test/');
  // What @ohif/core imports and does not need here: anything, however deep.
  await page.evaluate((names) => {
    const anything = (name: string): object =>
      new Proxy(() => undefined, {
        get: (_target, key) =>
          key === Symbol.toPrimitive ? () => name : key === 'then' ? undefined : anything(name),
      });
    for (const name of names) Object.assign(window, { [name]: anything(name) });
  }, packages);
  await page.addScriptTag({ path: path('.cache/ohif-core/3.13.2/ohif-core.umd.js') });
  await page.addScriptTag({ content: bundled.outputFiles[0]?.text ?? '' });
});
afterAll(() => browser?.close());

interface Registered {
  readonly services: Record<string, Record<string, (...args: unknown[]) => unknown>>;
  readonly extensionManager: { getModuleEntry(name: string): Record<string, unknown> | undefined };
  readonly commandsManager: {
    getCommand(name: string): unknown;
    runCommand(name: string): unknown;
  };
  readonly shown: { readonly title: string; readonly message: string }[];
}

interface Toolbar {
  refreshToolbarState(props: object): void;
  readonly sections: { readonly primary: string };
  readonly state: {
    readonly buttons: Record<string, { props: Record<'commands' | 'disabled' | 'disabledText', unknown> }>;
    readonly buttonSections: Record<string, string[]>;
  };
}

/** Registers the extension with some settings, in managers of its own. */
const register = (settings: object): Promise<void> =>
  page.evaluate(async (cipherDose) => {
    type Constructor = new (options: object) => never;
    const core = (
      window as unknown as { 'ohif-core': Record<string, Constructor & { REGISTRATION: object }> }
    )['ohif-core'];
    const make = (name: string, options: object): never => new (core[name] as Constructor)(options);
    const commandsManager = make('CommandsManager', {}) as object;
    const servicesManager = make('ServicesManager', commandsManager) as {
      registerServices(list: object[]): void;
      services: Registered['services'];
    };
    const names =
      'Customization DisplaySet HangingProtocol Panel Toolbar UINotification UserAuthentication ViewportGrid';
    const appConfig = { cipherDose };
    const extensionManager = make('ExtensionManager', { commandsManager, servicesManager, appConfig }) as {
      registerExtension(extension: object): Promise<void>;
    };
    Object.assign(commandsManager, { _appConfig: appConfig });
    servicesManager.registerServices(
      names.split(' ').map((name) => core[`${name}Service`]?.REGISTRATION ?? {}),
    );
    const shown: object[] = [];
    servicesManager.services['uiNotificationService']?.['setServiceImplementation']?.({
      show: (notification: object) => shown.push(notification),
      hide: () => undefined,
    });
    servicesManager.services['viewportGridService']?.['setServiceImplementation']?.({
      getState: () => ({
        activeViewportId: 'one',
        viewports: new Map([['one', { displaySetInstanceUIDs: ['set'] }]]),
      }),
    });
    const context = (commandsManager as { createContext?(name: string): void }).createContext;
    context?.call(commandsManager, 'DEFAULT');
    const { cipherDose: library } = window as unknown as { cipherDose: { default: object } };
    await extensionManager.registerExtension(library.default);
    Object.assign(window, {
      registered: { services: servicesManager.services, extensionManager, commandsManager, shown },
    });
  }, settings);

describe('in the managers of @ohif/core', () => {
  beforeAll(() => register({ serverUrl: 'http://127.0.0.1:9' }));

  test('panel and commands are there', async () => {
    const found = await page.evaluate(() => {
      const { extensionManager, commandsManager } = (window as unknown as { registered: Registered })
        .registered;
      const { cipherDose } = window as unknown as { cipherDose: { panelName: string } };
      const names = ['denoise', 'cancel', 'compare', 'difference', 'blink', 'save', 'download'];
      return {
        panel: typeof extensionManager.getModuleEntry(cipherDose.panelName)?.['component'],
        commands: names.filter((name) => commandsManager.getCommand(`cipherdose.${name}`)),
      };
    });
    expect(found).toEqual({
      panel: 'function',
      commands: ['denoise', 'cancel', 'compare', 'difference', 'blink', 'save', 'download'],
    });
  });

  test('button and hotkeys are added to a mode', async () => {
    const added = await page.evaluate(() => {
      const { services } = (window as unknown as { registered: Registered }).registered;
      const { cipherDose } = window as unknown as { cipherDose: { addToViewer(services: unknown): void } };
      services['customizationService']?.['setCustomizations']?.({ 'ohif.hotkeyBindings': [] }, 'default');
      cipherDose.addToViewer(services);
      const { state, sections } = services['toolbarService'] as unknown as Toolbar;
      const hotkeys = services['customizationService']?.['getCustomization']?.('ohif.hotkeyBindings');
      return {
        commands: state.buttons['CipherDose']?.props.commands,
        section: state.buttonSections[sections.primary],
        keys: (hotkeys as { keys: string[] }[]).flatMap(({ keys }) => keys),
      };
    });
    expect(added).toEqual({
      commands: 'cipherdose.denoise',
      section: ['CipherDose'],
      keys: ['shift+d', 'shift+c', 'b', 'shift+s'],
    });
  });

  test('the button follows the series in the viewport', async () => {
    const answers = await page.evaluate(() => {
      const { services } = (window as unknown as { registered: Registered }).registered;
      const toolbar = services['toolbarService'] as unknown as Toolbar;
      const button = (): object => {
        toolbar.refreshToolbarState({ viewportId: 'one' });
        const { disabled, disabledText } = toolbar.state.buttons['CipherDose']?.props ?? {};
        return { disabled, disabledText };
      };
      const ct = {
        displaySetInstanceUID: 'set',
        Modality: 'CT',
        instances: [{ SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', Rows: 512, Columns: 512, BitsAllocated: 16 }],
      };
      const none = button();
      services['displaySetService']?.['addDisplaySets']?.(ct);
      const one = button();
      ct.Modality = 'MR';
      return [none, one, button()];
    });
    expect(answers).toEqual([
      { disabled: true, disabledText: 'Open a CT series first.' },
      { disabled: false },
      { disabled: true, disabledText: expect.stringContaining('Only CT') },
    ]);
  });

  test('a command without a series says so', async () => {
    const shown = await page.evaluate(async () => {
      const registered = (window as unknown as { registered: Registered }).registered;
      await registered.commandsManager.runCommand('cipherdose.denoise');
      return registered.shown;
    });
    expect(shown).toEqual([expect.objectContaining({ message: expect.stringContaining('Only CT') })]);
  });
});

test('settings that are wrong stop the registration, and the field is named', async () => {
  await expect(register({ serverURL: 'x' })).rejects.toThrow('window.config.cipherDose');
});

describe('a version of OHIF that is not known', () => {
  test('without a mode that can be extended: one message that names those that are tested', async () => {
    const made = page.evaluate(async () => {
      const { cipherDose } = window as unknown as {
        cipherDose: { mode: { modeFactory(options: object): Promise<object> } };
      };
      await cipherDose.mode.modeFactory({ loadModules: () => Promise.reject(new Error('not found')) });
    });
    await expect(made).rejects.toThrow(
      'CipherDose does not know this version of OHIF; it is tested in 3.11, 3.12 and 3.13.',
    );
  });

  test('without cornerstone where it was: the command says so once, and nothing is started', async () => {
    await register({ serverUrl: 'http://127.0.0.1:9' });
    const shown = await page.evaluate(async () => {
      const {
        services,
        commandsManager,
        shown: messages,
      } = (window as unknown as { registered: Registered }).registered;
      services['displaySetService']?.['addDisplaySets']?.({
        displaySetInstanceUID: 'set',
        Modality: 'CT',
        instances: [{ SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', Rows: 512, Columns: 512, BitsAllocated: 16 }],
      });
      await commandsManager.runCommand('cipherdose.compare');
      await commandsManager.runCommand('cipherdose.denoise');
      return messages;
    });
    expect(shown).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/OHIF.*3\.11, 3\.12/) }),
    ]);
  });
});
