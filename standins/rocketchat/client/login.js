/** The log-in page, rendered at whatever address the visitor asked for, and the form for a missing username. */
import { ddp } from './ddp.js';
import { h, reasonOf, toast } from './dom.js';
import { asksBySelf, tryIframeLogin } from './iframe.js';
import { signIn } from './oauth.js';
import { login, logout, passwordCredentials } from './session.js';
import { loginServices, setting } from './store.js';
import { isRussian, knows, pickLanguage, t } from './texts.js';

const link = (text, hint) => h('a', { href: '#', onclick: (event) => {
  event.preventDefault();
  toast(hint, 'info');
} }, text);

/** A labelled text field. */
function field(label, attributes) {
  const input = h('input', { required: true, ...attributes });
  return [h('label', {}, label, input), input];
}

/** What the form says to a refusal: nothing to a bare number, as the real one. */
function explain({ error, reason }) {
  if (typeof error === 'number') return '';
  return knows(error) ? t(error) : reason || String(error);
}

function logo() {
  const bubble = h('div', { class: 'logo', role: 'img', 'aria-label': 'Logo' });
  bubble.append(h('i'), h('i'), h('i'));
  return bubble;
}

/**
 * Fill `root` with the log-in page.
 * @param {HTMLElement} root
 * @returns {Promise<{refresh: () => void}>} resolves when the page is up; `refresh` follows settings and services
 */
export async function showLogin(root) {
  if (asksBySelf()) {
    if (await tryIframeLogin()) return { refresh: () => {} };
    const src = setting('Accounts_iframe_url');
    root.replaceChildren(h('iframe', { class: 'login-frame', title: t('login'), src }));
    return { refresh: () => {} };
  }
  const [userField, name] = field(t('user'),
    { name: 'username', placeholder: 'example@example.com', autocomplete: 'username' });
  const [passwordField, password] = field(t('password'),
    { name: 'password', type: 'password', autocomplete: 'current-password' });
  const refusal = h('p', { class: 'refusal', role: 'alert', hidden: true });
  const say = (text) => {
    refusal.textContent = text;
    refusal.hidden = !text;
  };
  const submit = async (event) => {
    event.preventDefault();
    if (credentials.hidden) return;
    try {
      await login(await passwordCredentials(name.value.trim(), password.value));
    } catch (problem) {
      [name, password].forEach((input) => input.setAttribute('aria-invalid', 'true'));
      say(explain(problem) || t('refused'));
    }
  };
  const oauth = async (service) => {
    say('');
    await signIn(service).catch((problem) => say(explain(problem)));
  };
  const credentials = h('div', { class: 'credentials' },
    h('div', { role: 'group' }, userField, passwordField, refusal, link(t('forgot'), t('notHere'))),
    h('div', { role: 'group' }, h('button', { class: 'primary', type: 'submit' }, t('login'))),
    h('p', {}, `${t('newHere')} `, link(t('createAccount'), t('notHere'))));
  const separator = h('div', { class: 'or', role: 'separator' }, t('or'));
  const buttons = h('div', { role: 'group', class: 'services' });
  const title = h('h1');
  const language = isRussian() && h('button', { class: 'plain', type: 'button', onclick: () => {
    pickLanguage('en');
    location.reload();
  } }, 'Change to English');
  const refresh = () => {
    const services = loginServices().filter(({ showButton }) => showButton !== false);
    title.textContent = t('welcome', setting('Site_Name'));
    credentials.hidden = setting('Accounts_ShowFormLogin') === false;
    separator.hidden = credentials.hidden || !services.length;
    buttons.replaceChildren(...services.map(({ service, buttonLabelText }) => {
      const known = service[0].toUpperCase() + service.slice(1);
      return h('button', { type: 'button', title: known, onclick: () => oauth(service) },
        buttonLabelText || t('signInWith', known));
    }));
  };
  refresh();
  const terms = ['Terms of Service', 'Privacy Policy', 'Legal Notice']
    .flatMap((page) => [link(page, t('notHere')), ' ']);
  const home = h('a', { href: 'https://rocket.chat', target: '_blank', rel: 'noopener' }, 'Rocket.Chat');
  root.replaceChildren(h('main', { class: 'login' },
    h('div', { class: 'intro' }, logo(), title, h('p', {}, 'Powered by ', home)),
    h('form', { 'aria-label': t('login'), novalidate: true, onsubmit: submit },
      h('b', {}, t('login')), credentials, separator, buttons),
    h('p', { class: 'terms' }, t('agree'), ...terms), language));
  return { refresh };
}

/** Fill `root` with "Register username": a new account without a username has nothing else to do. */
export function showRegisterUsername(root) {
  const [label, username] = field(t('username'), { name: 'username', autocomplete: 'off' });
  const submit = async (event) => {
    event.preventDefault();
    await ddp.call('setUsername', username.value.trim()).catch((problem) => toast(reasonOf(problem)));
  };
  root.replaceChildren(h('main', { class: 'login' }, logo(),
    h('form', { 'aria-label': t('registerUsername'), onsubmit: submit }, h('b', {}, t('registerUsername')), label,
      h('div', { role: 'group' }, h('button', { class: 'primary', type: 'submit' }, t('useUsername')),
        h('button', { class: 'plain', type: 'button', onclick: logout }, t('logout'))))));
}

/** The page of somebody who has to choose a password first (client/views/root/MainLayout/PasswordChangeCheck.tsx). */
export function showResetPassword(root, reason) {
  const [label, password] = field(t('password'), { type: 'password', autocomplete: 'new-password' });
  const submit = async (event) => {
    event.preventDefault();
    await ddp.call('setUserPassword', password.value).catch((problem) => toast(reasonOf(problem)));
  };
  root.replaceChildren(h('main', { class: 'login' }, logo(),
    h('form', { 'aria-label': t('resetPassword'), 'aria-describedby': 'welcomeTitle', onsubmit: submit }, h('h1', {}, t('resetPassword')),
      h('p', {}, knows(reason) ? t(reason) : ''), label,
      h('div', { role: 'group' }, h('button', { class: 'primary', type: 'submit' }, t('reset'))))));
}
