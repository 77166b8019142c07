/** What surrounds a room: sidebar, user menu, home page, "not found". */
import { avatar, h } from './dom.js';
import { address, embedded, navigate, roomInPath } from './router.js';
import { logout } from './session.js';
import { displayName, mySubscriptions, setting, user } from './store.js';
import { t } from './texts.js';

function userMenu() {
  const menu = h('div', { role: 'menu', 'aria-label': 'User menu', hidden: true },
    h('b', { role: 'presentation' }, user.name || user.username),
    h('button', { role: 'menuitemcheckbox', 'aria-checked': 'false', type: 'button', onclick: logout }, t('logout')));
  const toggle = () => (menu.hidden = !menu.hidden);
  // As 6.13.0's: no hook of its own, but a menu and the person's picture (client/sidebar/header/UserMenu.tsx).
  const hooks = { type: 'button', title: 'User menu', 'aria-haspopup': 'true', onclick: toggle };
  const picture = avatar(user, 'span', { 'aria-hidden': 'true', 'data-username': user.username });
  const button = h('button', { class: 'avatar', ...hooks }, picture);
  return h('div', { class: 'user' }, button, menu);
}

/**
 * Fill `root` with sidebar and main; embedded has the main alone.
 * @param {HTMLElement} root
 * @returns {{main: HTMLElement, refresh: () => void}} `refresh` follows the subscriptions
 */
export function showShell(root) {
  const main = h('main');
  const list = h('nav', { 'aria-label': t('channels') });
  const refresh = () => {
    const here = roomInPath()?.name;
    const rooms = mySubscriptions().filter(({ open }) => open !== false)
      .sort((one, other) => displayName(one).localeCompare(displayName(other)));
    list.replaceChildren(...rooms.map((room) => {
      const path = `/${room.t === 'p' ? 'group' : 'channel'}/${encodeURIComponent(room.name)}`;
      const follow = (event) => {
        event.preventDefault();
        navigate(path);
      };
      return h('a', { href: address(path), 'data-qa': 'sidebar-item', 'aria-label': displayName(room), onclick: follow,
        'aria-current': here === room.name && 'page', class: (room.alert || room.unread > 0) && 'unread' },
      h('i', { 'aria-hidden': 'true', class: room.t === 'p' && 'lock' }, room.t === 'p' ? '' : '#'), displayName(room),
      room.unread > 0 && h('span', { class: 'badge' }, String(room.unread)));
    }));
  };
  const toHome = { type: 'button', class: 'plain', 'aria-label': t('home'), onclick: () => navigate('/home') };
  const sidebar = !embedded && h('div', { class: 'sidebar', role: 'navigation' },
    h('div', { class: 'top' }, user && userMenu(), h('span', { class: 'site' }, setting('Site_Name')),
      h('button', toHome, '⌂')), list);
  root.replaceChildren(...[sidebar, main].filter(Boolean));
  refresh();
  return { main, refresh };
}

/** The home page; embedded it is an empty main. */
export function showHome(main) {
  const welcome = h('h2', { 'data-qa-id': 'homepage-welcome-text' }, t('welcomeHome', setting('Site_Name')));
  main.replaceChildren(...(embedded ? [] : [
    h('header', {}, h('h1', {}, t('home'))), h('div', { class: 'page' }, welcome)]));
}

/** "Room not found": no such room, or no right to know of it. */
export function showNotFound(main) {
  const title = h('h3', { class: 'rcx-states__title' }, t('notFound'));
  main.replaceChildren(h('div', { class: 'page empty' }, title, h('p', {}, t('noAccess')),
    h('button', { type: 'button', onclick: () => navigate('/home') }, 'Homepage')));
}
