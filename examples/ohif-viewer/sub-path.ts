import { extname } from 'node:path';

/** What is absolute in a prebuilt OHIF, and the part after which the path of the viewer belongs. */
const absolute: Readonly<Record<string, RegExp>> = {
  '.html': /(?:(?:href|src|content)="|PUBLIC_URL ?= ?["'])(?=\/)/g,
  '.css': /url\((?=\/)/g,
  '.js': /(?:__webpack_require__\.p = "|browserImportFunction\(')(?=\/)/g,
};

/** Whether a file of OHIF may hold absolute addresses. */
export const holdsAddresses = (name: string): boolean => extname(name) in absolute;

/**
 * A file of a prebuilt OHIF, which is made for the root of its origin, as it has to be under a path.
 * @param base begins and ends with `/`
 */
export const placeUnder = (base: string, name: string, text: string): string =>
  base === '/' ? text : text.replace(absolute[extname(name)] ?? /$^/g, `$&${base.slice(0, -1)}`);

/** @returns the path with one `/` at each end @throws TypeError if it holds anything but plain names */
export function checkBase(path: string): string {
  const base = `/${path}/`.replace(/\/+/g, '/');
  if (!/^\/(?:[\w.-]+\/)*$/.test(base)) throw new TypeError('the path of the viewer is not a plain path');
  return base;
}
