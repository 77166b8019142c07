/**
 * Rocket.Chat inside somebody's page: commands from it, events to it (apps/meteor/client/startup/iframeCommands.ts,
 * client/lib/utils/fireGlobalEvent.ts), and iframe authentication (app/ui-utils/client/lib/IframeLogin.ts).
 */
import { rest } from './ddp.js';
import { logsInTwice } from './mood.js';
import { signIn } from './oauth.js';
import { go } from './router.js';
import { login, logout } from './session.js';
import { loginService, setting } from './store.js';

/**
 * Tell this window, and the page around it if `Iframe_Integration_send_enable`.
 * @param {string} eventName
 * @param {*} [data] structured-cloneable
 */
export function fire(eventName, data) {
  window.dispatchEvent(new CustomEvent(eventName, { detail: data }));
  if (window.parent === window || !setting('Iframe_Integration_send_enable')) return;
  window.parent.postMessage({ eventName, data }, setting('Iframe_Integration_send_target_origin'));
}

const commands = {
  go: ({ path }) => (path?.trim() ? go(path) : console.error('`path` not defined')),
  'set-user-status': ({ status }) => rest('POST', 'users.setStatus', { status }),
  'login-with-token': ({ token }) => login({ resume: token }).catch(() => null),
  logout: () => logout(),
  'call-custom-oauth-login': ({ service, redirectUrl }, source) => {
    const home = `${setting('Site_Url')}/`;
    const known = loginService(service);
    if (!known) return;
    const back = redirectUrl?.startsWith(home) ? redirectUrl : home;
    const answer = (response) => source.postMessage({ event: 'custom-oauth-callback', response }, '*');
    signIn(service, { redirectUrl: back }).then(() => known.loginStyle === 'redirect' || answer(), answer);
  },
};
let servicesKnown = false;

/** From now on `call-custom-oauth-login` finds the services; before, it ends in a page error and is lost. */
export const servicesReady = () => (servicesKnown = true);

/** Begin to hear commands; what was sent before is lost. */
export function listenForCommands() {
  window.addEventListener('message', ({ data, origin, source }) => {
    const name = data?.externalCommand;
    if (typeof name !== 'string' || !setting('Iframe_Integration_receive_enable')) return;
    const allowed = setting('Iframe_Integration_receive_origin');
    if (allowed !== '*' && !allowed.split(',').includes(origin)) console.error('Origin not allowed', origin);
    else if (!Object.hasOwn(commands, name)) console.error('Command not allowed', name);
    else if (name === 'call-custom-oauth-login' && !servicesKnown) {
      throw new TypeError("Cannot read properties of undefined (reading 'call')");
    } else commands[name](data, source);
  });
}

/** Whether iframe authentication takes the place of the log-in form. */
export const iframeLoginEnabled = () => setting('Accounts_iframe_enabled') &&
  ['Accounts_iframe_url', 'Accounts_Iframe_api_url', 'Accounts_Iframe_api_method'].every(setting);

const byIframe = ({ loginToken, token }) => login(loginToken ? { resume: loginToken } : { iframe: true, token });

/** Whether the log-in page asks the site by itself. Where it does not, it shows its own form. */
export const asksBySelf = () => iframeLoginEnabled() && document.documentElement.dataset.iframeLogin !== 'silent';

/**
 * Ask the site's API who the visitor is and sign them in.
 * @returns {Promise<boolean>} false: show the site's own log-in page in a frame
 */
export async function tryIframeLogin() {
  try {
    const method = setting('Accounts_Iframe_api_method');
    const ask = () => fetch(setting('Accounts_Iframe_api_url'), { method, credentials: 'include' });
    if (logsInTwice) await ask();
    const answer = await ask();
    const found = answer.ok && await answer.json();
    if (!found?.loginToken && !found?.token) return false;
    await byIframe(found);
    return true;
  } catch {
    return false;  // No answer, no JSON or no valid token: in each case the visitor has to log in by hand.
  }
}

/** Messages of iframe authentication; they carry no origin check in the real client either. */
export function listenForIframeLogin() {
  window.addEventListener('message', async ({ data, source }) => {
    if (!iframeLoginEnabled()) return;
    if (data?.event === 'try-iframe-login') await tryIframeLogin();
    if (data?.event !== 'login-with-token') return;
    await byIframe(data).catch((refusal) => source.postMessage({ event: 'login-error', response: refusal }, '*'));
  });
}
