/**
 * The path under which the server is reached. Behind a proxy with other sites it is not `/`; the server
 * writes it (from its option `public_url`) into the page's `<base>`.
 */

// The only access of this folder to the page, so that not every caller has to pass the path on.
// eslint-disable-next-line no-restricted-globals -- see above; without a page, as in tests, there is none
const pageBase = (): string => (typeof document === 'undefined' ? '' : document.baseURI);

/** That path, with a slash at both ends. */
export function basePath(base = pageBase()): string {
  return base === '' ? '/' : new URL('.', base).pathname;
}

/** The address of one of the server's own paths, which begin with a slash. */
export function serverPath(path: string, base = basePath()): string {
  return base + path.slice(1);
}

/** What follows the base path in a path of this server, with a slash before it. */
export function pathInside(path: string, base = basePath()): string {
  return path.startsWith(base) ? path.slice(base.length - 1) : path;
}
