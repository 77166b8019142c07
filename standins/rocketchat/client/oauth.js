/**
 * Custom OAuth in both styles: the way to the provider and the way back
 * (apps/meteor/app/custom-oauth/client/CustomOAuth.ts; Meteor packages oauth, accounts-oauth).
 */
import { randomId } from './ddp.js';
import { login, loginByOAuth } from './session.js';
import { loginService, setting } from './store.js';

const RELOAD = 'Meteor_Reload';
const SECRET = 'Meteor.oauth.credentialSecret-';
const secrets = new Map();

// The page that ends a popup looks for this in its opener (Meteor: packages/oauth/end_of_popup_response.js).
window.Package = {
  oauth: { OAuth: { _handleCredentialSecret: (token, secret) => secrets.set(token, secret) } },
};

/**
 * @param {Object} config a row of `loginServices()`
 * @param {Object} state what comes back from the provider untouched
 * @returns {string} address of the provider's authorize page; order of parameters as the real client's
 */
function authorizeUrl(config, state) {
  const path = config.authorizePath ?? '';
  const base = /^https?:/.test(path) ? path : `${config.serverURL}${path}`;
  const back = `${new URL(`_oauth/${config.service}`, document.baseURI)}${config.loginStyle ? '' : '?close'}`;
  const query = [['client_id', config.clientId], ['redirect_uri', back], ['response_type', 'code'],
    ['state', btoa(JSON.stringify(state))], ['scope', config.scope]];
  const text = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  return `${base}${base.includes('?') ? '&' : '?'}${text}`;
}

/**
 * Start signing in. Throws where the browser blocks the popup, as the real client does.
 * @param {string} name the service's id, lower case
 * @param {{redirectUrl?: string}} [options]
 * @returns {Promise<void>} popup style: resolves when signed in, rejects with the refusal.
 *   Redirect style: the page goes away.
 */
export function signIn(name, { redirectUrl = location.href } = {}) {
  const config = loginService(name);
  if (setting('Accounts_OAuth_Use_Modern_Flow')) return signInByServer(name, config.loginStyle);
  const credentialToken = randomId(43);
  const state = { loginStyle: config.loginStyle || 'popup', credentialToken, isCordova: false };
  if (state.loginStyle === 'redirect') {
    const data = { oauth: { loginService: name, credentialToken } };
    sessionStorage.setItem(RELOAD, JSON.stringify({ time: Date.now(), data, reload: true }));
    location.assign(authorizeUrl(config, { ...state, redirectUrl }));
    return Promise.resolve();
  }
  const popup = window.open(authorizeUrl(config, state), 'Login', 'width=900,height=450');
  popup.focus();
  return closed(popup).then(() => {
    const secret = secrets.get(credentialToken) ?? localStorage.getItem(SECRET + credentialToken);
    localStorage.removeItem(SECRET + credentialToken);
    return loginByOAuth(credentialToken, secret);
  });
}

/**
 * The server-side flow of 8.7: the server knows the way, and where the browser was is forgotten
 * (client/hooks/useLoginWithCustomOauth.ts). A popup posts the token to its opener (hooks/useOAuthPopupCommands.ts).
 */
function signInByServer(name, style) {
  const url = new URL(`oauth/${name}`, document.baseURI);
  if (style !== 'popup') {
    location.assign(url);
    return Promise.resolve();
  }
  window.open(url, 'oauth', 'popup=yes,width=500,height=700').focus();
  return new Promise((resolve, reject) => {
    window.addEventListener('message', ({ origin, data }) => {
      if (origin !== location.origin || data?.externalCommand !== 'login-with-token') return;
      login({ resume: data.token }).then(resolve, reject);
    }, { once: true });
  });
}

/** Browsers tell nobody when a popup closes, so this looks, ten times a second as Meteor does. */
const closed = (popup) => new Promise((resolve) => {
  const timer = setInterval(() => {
    if (!popup.closed) return;
    clearInterval(timer);
    resolve();
  }, 100);
});

/**
 * Finish a log-in by redirect that this page load is the return from, if it is one. A refusal shows nothing:
 * the log-in page is simply there again.
 */
export async function finishRedirect(meanwhile) {
  const pending = JSON.parse(sessionStorage.getItem(RELOAD) ?? 'null')?.data?.oauth;
  sessionStorage.removeItem(RELOAD);
  if (!pending) return;
  const key = SECRET + pending.credentialToken;
  const secret = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  await meanwhile();
  await loginByOAuth(pending.credentialToken, secret).catch(() => null);
}
