/** Addresses inside the client. `layout` is read once, when the page loads, and stays. */

import { keepsToken } from './mood.js';

const first = new URLSearchParams(location.search);

/** Whether the page was opened with `layout=embedded`. */
export const embedded = first.get('layout') === 'embedded';

// Without the slash at the end: what `<base>` says, which is ROOT_URL's path.
const prefix = new URL(document.baseURI).pathname.replace(/\/$/, '');

/** Where the client is, below the server's own path. */
export const here = () => location.pathname.slice(prefix.length) || '/';

/** The address of a path of the client. */
export const address = (path) => prefix + path;

/** Events: `navigate`. */
export const router = new EventTarget();

/**
 * Take a log-in token out of the address: it gets no further than the history entry it came with.
 * @returns {string|null}
 */
export function takeResumeToken() {
  const token = first.get('resumeToken');
  if (token && keepsToken) {
    if (embedded) history.replaceState(null, '', `${location.pathname}${location.search}?layout=embedded`);
    return token;
  }
  first.delete('resumeToken');
  if (token) history.replaceState(null, '', `${location.pathname}${first.size ? `?${first}` : ''}`);
  return token;
}

/** Take the code of the server-side OAuth flow out of the address. */
export function takeLoginCode() {
  const code = first.get('loginCode');
  first.delete('loginCode');
  if (code) history.replaceState(null, '', `${location.pathname}${first.size ? `?${first}` : ''}`);
  return code;
}

/**
 * Go to a page without loading anew.
 * @param {string} pathname
 * @param {Object<string, string>} [query]
 * @param {boolean} [replace] take the place of the present history entry
 */
export function navigate(pathname, query = {}, replace = false) {
  const search = new URLSearchParams(query);
  history[replace ? 'replaceState' : 'pushState'](null, '', address(pathname) + (search.size ? `?${search}` : ''));
  router.dispatchEvent(new Event('navigate'));
}

/** Go to a path whose query is merged over the present one, as the iframe command `go` does. */
export function go(path) {
  const target = new URL(path.replace(/^\/*/, ''), document.baseURI);
  navigate(target.pathname.slice(prefix.length), { ...Object.fromEntries(new URLSearchParams(location.search)),
    ...Object.fromEntries(target.searchParams) });
}

/** @returns {{type: 'c'|'p', name: string}|null} the room the address names */
export function roomInPath() {
  const [, kind, name] = /^\/(channel|group)\/([^/]+)/.exec(here()) ?? [];
  return kind ? { type: kind === 'channel' ? 'c' : 'p', name: decodeURIComponent(name) } : null;
}

window.addEventListener('popstate', () => router.dispatchEvent(new Event('navigate')));
