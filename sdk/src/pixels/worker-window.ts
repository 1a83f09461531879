// @cornerstonejs/dicom-codec takes time with `window.performance` wherever it is not in Node, and fails in web workers,
// which have no window. Imported before it.
const scope = globalThis as { window?: object; WorkerGlobalScope?: unknown };
if (scope.WorkerGlobalScope !== undefined)
  scope.window ??= { document: {}, performance: globalThis.performance };
