/** Start of the client: what is shown when, and which events the page around it hears, in the real client's order. */
import { ddp } from './ddp.js';
import { h, loading, toast } from './dom.js';
import { fire, listenForCommands, listenForIframeLogin, servicesReady } from './iframe.js';
import { loaded, logsInTwice, onItsWay, speaksEarly } from './mood.js';
import { askWhetherMoved } from './moved.js';
import { finishRedirect } from './oauth.js';
import { Room } from './room.js';
import { embedded, here, navigate, roomInPath, router, takeLoginCode, takeResumeToken } from './router.js';
import { dropSession, login, resume, session, storedToken, userId } from './session.js';
import { showHome, showNotFound, showShell } from './shell.js';
import * as state from './store.js';
import { chooseLanguage, t } from './texts.js';

const root = document.querySelector('#react-root');
const view = { login: null, shell: null, room: null, redirected: false, anonymous: true };
const told = {};

/** Fire an event whose value is not the one told last. */
function tell(event, value) {
  if (told[event] !== value) fire(event, value);
  told[event] = value;
}

const tellUnread = () => tell('unread-changed', state.unread());
const tellStatus = () => tell('status-changed', state.user.statusDefault ?? 'online');

function frame() {
  const box = h('div', { id: 'rocket-chat', class: embedded ? 'embedded-view' : '' });
  root.replaceChildren(box);
  view.room?.close();
  Object.assign(view, { login: null, shell: null, room: null });
  return box;
}

function route() {
  if (here() === '/' || here() === '/login') return navigate('/home', {}, true);
  if (!view.shell) return undefined;
  const first = state.setting('First_Channel_After_Login');
  if (here() === '/home' && first && !view.redirected && state.user) {
    view.redirected = true;
    return navigate(`/channel/${first}`, {}, true);
  }
  view.room?.close();
  view.room = null;
  view.shell.refresh();
  const target = roomInPath();
  if (target) {
    view.room = new Room(view.shell.main, { signIn: () => { view.anonymous = false; show(); } });
    return view.room.open(target.type, target.name);
  }
  return here() === '/home' ? showHome(view.shell.main) : showNotFound(view.shell.main);
}

async function showSignedIn(uid) {
  frame().replaceChildren(loading());
  await state.openUser(uid).catch((problem) => {
    if (uid === userId()) throw problem;
  });
  if (uid !== userId()) return;
  chooseLanguage(state.user.language, state.setting('Language'));
  tellUnread();
  delete told['status-changed'];
  tellStatus();
  fire('Custom_Script_Logged_In');
  await showUser();
}

async function showUser() {
  const { username, requirePasswordChange, requirePasswordChangeReason } = state.user;
  if (!username) (await import('./login.js')).showRegisterUsername(frame());
  else if (requirePasswordChange) (await import('./login.js')).showResetPassword(frame(), requirePasswordChangeReason);
  else view.shell = showShell(frame());
  askIfMoved();
  route();
}

async function showSignedOut() {
  const box = frame();
  state.closeUser();
  chooseLanguage(undefined, state.setting('Language'));
  tellUnread();
  if (state.setting('Accounts_AllowAnonymousRead') && view.anonymous) {
    await state.loadPermissions();
    view.shell = showShell(box);
  } else view.login = await (await import('./login.js')).showLogin(box);
  if (userId() !== null) return;
  route();
  fire('Custom_Script_Logged_Out');
}

const show = () => (userId() === null ? showSignedOut() : showSignedIn(userId()));

function watch() {
  session.addEventListener('in', show);
  session.addEventListener('out', ({ detail: asked }) => {
    view.redirected = false;
    frame();
    if (asked) navigate('/home');
    show();
  });
  session.addEventListener('on-logout', () => fire('Custom_Script_On_Logout'));
  router.addEventListener('navigate', route);
  state.store.addEventListener('services', () => view.login?.refresh());
  state.store.addEventListener('settings', refresh);
  state.store.addEventListener('rooms', refresh);
  state.store.addEventListener('room', ({ detail }) => view.room?.update(detail));
  state.store.addEventListener('message', ({ detail }) => view.room?.arrived(detail));
  state.store.addEventListener('user', () => {
    tellStatus();
    const { username, requirePasswordChange } = state.user;
    return view.shell || !username || requirePasswordChange ? refresh() : showUser();
  });
  state.store.addEventListener('force-logout', dropSession);
  state.store.addEventListener('subscription', ({ detail: [action, subscription] }) => {
    tellUnread();
    if (action === 'removed' && view.room?.room?._id === subscription.rid) {
      toast(t('removed', state.displayName(view.room.room)));
      navigate('/home');
    } else if (action !== 'removed') fire('unread-changed-by-subscription', subscription);
    refresh();
  });
}

function refresh() {
  document.title = `${state.setting('Site_Name') ?? ''} · Rocket.Chat stand-in`;
  view.login?.refresh();
  view.shell?.refresh();
  view.room?.refresh();
  askIfMoved();
}

function askIfMoved() {
  const admin = view.shell !== null && state.user?.roles?.includes('admin');
  askWhetherMoved(Boolean(admin) && state.setting('Deployment_FingerPrint_Verified') === false, root);
}

function followConnection() {
  const bar = h('div', { class: 'connection', role: 'alert', hidden: true });
  document.body.append(bar);
  ddp.addEventListener('connection', async ({ detail: connected }) => {
    bar.hidden = connected;
    bar.textContent = connected ? '' : t('waiting');
    if (!connected) return;
    await state.loadSettings();
    if (!state.user) return;
    await state.loadUser();
    if (view.room?.room) await view.room.loadHistory();
  });
}

async function saySignedOut(services) {
  await services;
  servicesReady();
  await showSignedOut();
  await onItsWay();
  // 6.13.0 says it twice at times (measured with an English browser).
  fire('Custom_Script_Logged_Out');
  await onItsWay();
}

async function signInByAddress(services) {
  const token = takeResumeToken();
  if (token) await login({ resume: token }).catch(() => null);
  const loginCode = takeLoginCode();
  if (loginCode) await login({ loginCode }).catch(() => null);
  if (userId() === null) await finishRedirect(() => speaksEarly && saySignedOut(services));
  if (userId() === null) await resume();
  if (logsInTwice) await resume();
}

async function start() {
  storedToken();
  root.replaceChildren(loading());
  await loaded();
  listenForCommands();
  listenForIframeLogin();
  ddp.connect();
  state.followSettings();
  await state.loadSettings();
  chooseLanguage(undefined, state.setting('Language'));
  refresh();
  if (!speaksEarly) fire('startup', true);
  const services = state.loadServices();
  watch();
  await signInByAddress(services);
  await services;
  servicesReady();
  if (userId() === null && !view.login) await showSignedOut();
  if (speaksEarly) fire('startup', true);
  followConnection();
}

start();
