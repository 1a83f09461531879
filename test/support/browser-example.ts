import { startServedPage, type ServedPage } from './served-page.ts';

/** Runs `npm run browser-example` as a user would. @param args for example `--server URL` */
export const startBrowserExample = (...args: readonly string[]): Promise<ServedPage> =>
  startServedPage('examples/dist/browser-denoise/serve.js', '--port', '0', ...args);

export type BrowserExample = ServedPage;
