export interface ViewerSettings {
  /** Path of the viewer on its origin; begins and ends with `/`. */
  readonly base: string;
  /** Address of the model host. */
  readonly serverUrl: string;
  /** What the viewer calls the archive. */
  readonly archiveName: string;
  /** More of `window.config.cipherDose`. */
  readonly cipherDose?: Readonly<Record<string, unknown>>;
}

/** The `app-config.js` that OHIF starts with; docs/ohif.md explains it. */
export function appConfig({ base, serverUrl, archiveName, cipherDose = {} }: ViewerSettings): string {
  const config = {
    routerBasename: base,
    showStudyList: true,
    extensions: [`${base}plugins/cipherdose/extension.js`],
    modes: [`${base}plugins/cipherdose/mode.js`],
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
          wadoUriRoot: `${base}wado`,
          qidoRoot: `${base}dicom-web`,
          wadoRoot: `${base}dicom-web`,
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
