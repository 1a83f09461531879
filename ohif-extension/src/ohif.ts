// What is used of OHIF 3.11 to 3.13, whose packages have no types.

/** The attributes of one instance, by keyword. */
export type Instance = Readonly<Record<string, unknown>>;

export interface DisplaySet {
  readonly displaySetInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly Modality?: string;
  readonly SOPClassUID?: string;
  readonly instances?: readonly Instance[];
  readonly images?: readonly Instance[];
}

export interface LiveStudy {
  readonly StudyInstanceUID: string;
  readonly addInstancesToSeries?: (instances: readonly Instance[]) => void;
}

interface Subscription {
  unsubscribe(): void;
}

export interface ViewportGridService {
  readonly EVENTS: Readonly<Record<string, string>>;
  subscribe(event: string, listener: () => void): Subscription;
  getActiveViewportId(): string;
  getDisplaySetsUIDsForViewport(viewportId: string): readonly string[] | undefined;
  getState(): {
    readonly viewports: ReadonlyMap<string, { readonly displaySetInstanceUIDs?: readonly string[] }>;
  };
  setDisplaySetsForViewports(
    updates: readonly {
      readonly viewportId: string;
      readonly displaySetInstanceUIDs: readonly string[];
      readonly viewportOptions?: object;
    }[],
  ): void | Promise<void>;
}

export interface Notification {
  readonly id?: string;
  readonly title: string;
  readonly message: string;
  readonly type: 'info' | 'success' | 'warning' | 'error';
  readonly duration?: number;
}

export interface Services {
  readonly viewportGridService: ViewportGridService;
  readonly displaySetService: {
    getDisplaySetByUID(uid: string): DisplaySet | undefined;
    getDisplaySetsForSeries(seriesUid: string): readonly DisplaySet[];
    makeDisplaySets(instances: readonly Instance[], options: { readonly madeInClient: boolean }): unknown;
    deleteDisplaySet(uid: string): void;
    readonly EVENTS?: { readonly DISPLAY_SETS_CHANGED?: string };
    readonly activeDisplaySets?: readonly DisplaySet[];
    _broadcastEvent?(event: string, data: unknown): void;
  };
  readonly hangingProtocolService: { readonly studies?: readonly LiveStudy[] };
  readonly uiNotificationService: { show(notification: Notification): void; hide(id: string): void };
  readonly userAuthenticationService?: {
    getAuthorizationHeader(): Readonly<Record<string, string>> | undefined;
  };
  readonly cornerstoneViewportService: {
    getCornerstoneViewport(viewportId: string): Viewport | undefined | null;
  };
  readonly syncGroupService: {
    getSynchronizer(id: string): unknown;
    addViewportToSyncGroup(viewportId: string, renderingEngineId: string, group: object): void;
    removeViewportFromSyncGroup(viewportId: string, renderingEngineId: string, groupId: string): void;
  };
  readonly toolbarService: ToolbarService;
  readonly customizationService?: {
    setCustomizations?: (customizations: object, scope?: string) => void;
  };
}

export interface ToolbarService {
  readonly sections: { readonly primary: string };
  register(buttons: readonly object[]): void;
  updateSection(section: string, buttonIds: readonly string[]): void;
}

export interface DataSource {
  getImageIdsForDisplaySet(displaySet: DisplaySet): readonly string[];
  getConfig(): { readonly wadoRoot?: string; readonly stowRoot?: string; readonly friendlyName?: string };
  deleteStudyMetadataPromise?: (studyUid: string) => void;
}

export interface ExtensionManager {
  getModuleEntry(name: string): { readonly exports: unknown } | undefined;
  getActiveDataSource(): readonly DataSource[];
}

export interface CommandsManager {
  runCommand(name: string, options?: object): unknown;
}

/** A viewport of cornerstone3D, stack or volume. */
export interface Viewport {
  readonly getCurrentImageId?: () => string | undefined;
  readonly getAllVolumeIds?: () => readonly string[];
  readonly getImageData?: () => { readonly imageData?: VtkImage } | undefined;
  getRenderingEngine(): { readonly id: string };
  render(): void;
}

export interface VtkImage {
  getPointData(): { getScalars(): { getData(): Int16Array | Float32Array; modified(): void } };
  modified(): void;
}

export interface Cornerstone {
  readonly imageLoader: { registerImageLoader(scheme: string, loader: (imageId: string) => object): void };
  readonly metaData: { get(type: string, imageId: string): unknown };
  readonly cache: {
    getVolume(id: string):
      | {
          readonly imageIds: readonly string[];
          readonly imageData?: { modified(): void };
          readonly vtkOpenGLTexture?: { readonly setUpdatedFrame?: (frame: number) => void };
        }
      | undefined;
    getImageLoadObject(imageId: string): object | undefined;
    removeImageLoadObject(imageId: string): void;
  };
  readonly utilities: {
    readonly VoxelManager: { createImageVoxelManager(options: object): object };
  };
  readonly Enums: { readonly ImageQualityStatus?: { readonly FULL_RESOLUTION: number } };
  getRenderingEngines(): readonly { getViewports(): readonly Viewport[] }[] | undefined;
}

/** What OHIF hands to an extension. */
export interface ExtensionContext {
  readonly servicesManager: { readonly services: Services };
  readonly extensionManager: ExtensionManager;
  readonly commandsManager: CommandsManager;
  readonly appConfig?: Readonly<Record<string, unknown>>;
  readonly configuration?: Readonly<Record<string, unknown>>;
}
