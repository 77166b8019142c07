/**
 * Who is signed in: log-in by any means, the stored session, log-out, and other tabs of the same browser.
 * Storage keys are Meteor's (packages accounts-base), cookies Rocket.Chat's.
 */
import { callAnonymously, ddp } from './ddp.js';

const [UID, TOKEN, EXPIRES] = ['Meteor.userId', 'Meteor.loginToken', 'Meteor.loginTokenExpires'];

/**
 * Events: `in` {detail: uid} when another user (or the first) is signed in; `on-logout` when the user asks to leave;
 * `out` {detail: whether the user asked}.
 */
export const session = new EventTarget();
let uid = null;
let queue = Promise.resolve();

/** Id of the signed-in user or null. */
export const userId = () => uid;

/** The token of an earlier visit. Throws where the browser denies storage: the page stays blank, as the real one. */
export const storedToken = () => localStorage.getItem(TOKEN);

const inOrder = (action) => (queue = queue.then(action, action));

function enter({ id, token, tokenExpires }) {
  const expires = new Date(tokenExpires?.$date ?? Date.now() + 90 * 86400000);
  localStorage.setItem(UID, id);
  localStorage.setItem(TOKEN, token);
  localStorage.setItem(EXPIRES, expires.toString());
  document.cookie = `rc_uid=${encodeURIComponent(id)}; path=/`;
  document.cookie = `rc_token=${encodeURIComponent(token)}; path=/`;
  if (id === uid) return;
  uid = id;
  session.dispatchEvent(new CustomEvent('in', { detail: id }));
}

function leave(asked = false) {
  for (const key of [UID, TOKEN, EXPIRES]) localStorage.removeItem(key);
  if (uid === null) return;
  uid = null;
  session.dispatchEvent(new CustomEvent('out', { detail: asked === true }));
}

/**
 * Log in over the socket.
 * @param {Object} credentials `{user, password}` or `{resume}` or `{iframe, token}`
 * @returns {Promise<void>} rejects with the server's refusal; the present session then stays
 */
export const login = (credentials) => inOrder(async () => enter(await ddp.callNow('login', credentials)));

/**
 * Log in with what the OAuth callback left, over REST, then on the socket with the token of the answer.
 * @param {string} credentialToken
 * @param {string|null} credentialSecret null where the provider's side failed: the server then says why
 */
export const loginByOAuth = (credentialToken, credentialSecret) => inOrder(async () => {
  const { token } = await callAnonymously('login', { oauth: { credentialToken, credentialSecret } });
  enter(await ddp.callNow('login', { resume: token }));
});

/** `{user, password}` for `login()`; plain where the page is no secure context and the browser cannot hash. */
export async function passwordCredentials(name, password) {
  const user = name.includes('@') ? { email: name } : { username: name };
  if (!crypto.subtle) return { user, password };
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(password)));
  const digest = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { user, password: { digest, algorithm: 'sha-256' } };
}

/** Resume the stored session, if there is one; a refusal clears it. */
export async function resume() {
  const token = storedToken();
  if (token) await login({ resume: token }).catch(leave);
}

/** Sign out here and on the server. */
export const logout = () => inOrder(async () => {
  session.dispatchEvent(new CustomEvent('on-logout'));
  await ddp.callNow('logout').catch(() => null);
  leave(true);
});

/** Forget the session without telling the server, which has ended it already. */
export const dropSession = () => leave();

ddp.beforeResume = async () => {
  if (uid === null) return;
  await ddp.callNow('login', { resume: storedToken() }).then(enter, leave);
};

// Another tab has signed in or out: this one follows, as Meteor's does.
window.addEventListener('storage', ({ key, newValue }) => {
  if (key === TOKEN && newValue === null) leave();
  else if (key === TOKEN) login({ resume: newValue }).catch(leave);
  else if (key === null) leave();
});
