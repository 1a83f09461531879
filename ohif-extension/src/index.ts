/**
 * OHIF extension for viewers that compile their extensions in; prebuilt viewers load the bundles instead.
 * @packageDocumentation
 */
export { default, extensionId } from './extension.ts';
export { addToViewer, hotkeys, panelName } from './add-to-mode.ts';
export { default as mode } from './mode.ts';
export { adminSettingsSchema, type AdminSettings } from './settings/admin-settings.ts';
