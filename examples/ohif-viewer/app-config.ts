export interface ViewerSettings {
  /** Address of the model host. */
  readonly serverUrl: string;
  /** What the viewer calls the archive. */
  readonly archiveName: string;
  /** More of `window.config.cipherDose`. */
  readonly cipherDose?: Readonly<Record<string, unknown>>;
}

/** The `app-config.js` that OHIF starts with; docs/ohif.md explains it. */
export function appConfig({ serverUrl, archiveName, cipherDose = {} }: ViewerSettings): string {
  const config = {
    routerBasename: null,
    showStudyList: true,
    extensions: ['/plugins/cipherdose/extension.js'],
    modes: ['/plugins/cipherdose/mode.js'],
    cipherDose: { serverUrl, ...cipherDose },
    customizationService: {},
    disableConfirmationPrompts: true,
    investigationalUseDialog: { option: 'never' },
    maxNumberOfWebWorkers: 2,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    strictZSpacingForVolumeViewport: true,
    defaultDataSourceName: 'archive',
    dataSources: [
      {
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'archive',
        configuration: {
          friendlyName: archiveName,
          name: 'archive',
          wadoUriRoot: '/wado',
          qidoRoot: '/dicom-web',
          wadoRoot: '/dicom-web',
          qidoSupportsIncludeField: false,
          imageRendering: 'wadors',
          thumbnailRendering: 'wadors',
          enableStudyLazyLoad: true,
          supportsFuzzyMatching: false,
          supportsWildcard: true,
          omitQuotationForMultipartRequest: true,
          bulkDataURI: { enabled: true },
        },
      },
    ],
  };
  return `window.config = ${JSON.stringify(config, undefined, 2)};\n`;
}
