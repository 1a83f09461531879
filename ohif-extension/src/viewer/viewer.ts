import { DenoiseError } from '@cipherdose/sdk/errors';
import { dicomwebArchive, type DicomwebArchive } from '../dicomweb/dicomweb-archive.ts';
import type { Cornerstone, DataSource, DisplaySet, ExtensionContext, Services, Viewport } from '../ohif.ts';

/** The parts of a running OHIF, each looked up when it is used. @throws VIEWER_UNSUPPORTED if one is not there */
export interface Viewer {
  readonly services: Services;
  readonly runCommand: (name: string, options?: object) => unknown;
  readonly cornerstone: () => Cornerstone;
  readonly dataSource: () => DataSource;
  readonly archive: () => DicomwebArchive;
  /** Absolute. */
  readonly wadoRoot: () => string;
  /** Headers of the viewer's own login, as they are now. */
  readonly loginHeaders: () => Readonly<Record<string, string>>;
  /** What is in the active viewport. */
  readonly activeDisplaySet: () => DisplaySet | undefined;
  /** Image ids that viewports show now. */
  readonly shownImageIds: () => readonly string[];
  readonly viewports: () => readonly Viewport[];
  readonly authorization: () => string | undefined;
}

const cornerstoneModule = '@ohif/extension-cornerstone.utilityModule.common';

export function openViewer({ servicesManager, extensionManager, commandsManager }: ExtensionContext): Viewer {
  const { services } = servicesManager;

  const loginHeaders = (): Readonly<Record<string, string>> =>
    services.userAuthenticationService?.getAuthorizationHeader() ?? {};

  function cornerstone(): Cornerstone {
    const { exports } = extensionManager.getModuleEntry(cornerstoneModule) ?? {};
    const { getCornerstoneLibraries } = (exports ?? {}) as {
      getCornerstoneLibraries?: () => { readonly cornerstone: Cornerstone };
    };
    return getCornerstoneLibraries?.().cornerstone ?? missing('cornerstone');
  }

  const dataSource = (): DataSource =>
    extensionManager.getActiveDataSource()[0] ?? missing('an active data source');

  function root(kind: 'wadoRoot' | 'stowRoot'): string {
    const config = dataSource().getConfig();
    const path = config[kind] ?? config.wadoRoot ?? missing('a DICOMweb data source');
    return new URL(path, document.baseURI).href;
  }

  return {
    services,
    runCommand: (name, options) => commandsManager.runCommand(name, options),
    cornerstone,
    dataSource,
    loginHeaders,
    wadoRoot: () => root('wadoRoot'),
    archive: () =>
      dicomwebArchive({ wadoRoot: root('wadoRoot'), stowRoot: root('stowRoot'), headers: loginHeaders }),
    activeDisplaySet() {
      const { viewportGridService, displaySetService } = services;
      const uids = viewportGridService.getDisplaySetsUIDsForViewport(
        viewportGridService.getActiveViewportId(),
      );
      return (uids ?? []).map((uid) => displaySetService.getDisplaySetByUID(uid)).find((one) => one);
    },
    viewports: () => (cornerstone().getRenderingEngines() ?? []).flatMap((engine) => engine.getViewports()),
    shownImageIds() {
      const { viewportGridService, cornerstoneViewportService } = services;
      const active = cornerstoneViewportService.getCornerstoneViewport(
        viewportGridService.getActiveViewportId(),
      );
      return [active, ...this.viewports()].flatMap((viewport) => viewport?.getCurrentImageId?.() ?? []);
    },
    authorization() {
      const headers = Object.entries(loginHeaders());
      return headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    },
  };
}

export function missing(what: string): never {
  throw new DenoiseError('VIEWER_UNSUPPORTED', { missing: what, tested: 'OHIF 3.11, 3.12, 3.13' });
}
