/** A room: heading, messages, composer; live by the room's streams. */
import { ddp, millis, rest } from './ddp.js';
import { avatar, h, toast } from './dom.js';
import { composer, composerKind } from './composer.js';
import { fire } from './iframe.js';
import { announced } from './mood.js';
import { embedded } from './router.js';
import { userId } from './session.js';
import { displayName, may, setting, subscriptionOf } from './store.js';
import { showNotFound } from './shell.js';
import { locale, systemText, t } from './texts.js';

const GROUPING = 300000;

function author(u) {
  const realName = setting('UI_Use_Real_Name') && u.name;
  const hook = { class: 'username', 'data-username': u.username, 'data-qa-type': 'username' };
  if (!realName) return h('b', hook, u.username);
  return h('span', {}, h('b', { 'data-username': u.username }, u.name), ' ', h('span', hook, `@${u.username}`));
}

function messageElement(message, { sequential, lastSeen }) {
  const { _id: id, u, msg } = message;
  const at = new Date(millis(message.ts)).toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' });
  const head = h('div', { class: 'head' }, author(u), h('time', {}, at));
  if (message.t) {
    const hooks = { 'data-qa': 'system-message', 'data-system-message-type': message.t, id, 'data-mid': id };
    const text = h('span', { 'data-qa-type': 'system-message-body' }, systemText(message));
    return h('div', { class: 'system', ...hooks }, author(u), ' ', text, h('time', {}, at));
  }
  const own = u._id === userId();
  const unread = !own && lastSeen > 0 && millis(message.ts) > lastSeen;
  return h('div', { class: 'message', 'data-qa-type': 'message', id, 'data-id': id, 'data-mid': id,
    'data-own': String(own), 'data-unread': String(unread), 'data-sequential': String(sequential),
    'aria-busy': message.unconfirmed && 'true' },
  sequential ? h('span', { class: 'avatar' }) : avatar(u, 'span', { 'aria-hidden': 'true' }),
  h('div', {}, !sequential && head, h('div', { 'data-qa-type': 'message-body' }, msg)));
}

/** The room on screen. Everything that arrives after `close()` is dropped, so of fast switches only the last counts. */
export class Room {
  #main;
  #handlers;
  #streams = [];
  #listeners = [];
  #messages = new Map();
  #drawn = new Map();
  #list = h('ul', { class: 'messages-list', 'aria-live': 'polite', 'aria-busy': 'true' });
  #head = h('header');
  #kind = null;
  #reading = false;
  #closed = false;
  room = null;

  /** @param {HTMLElement} main @param {{signIn: () => void}} handlers */
  constructor(main, handlers) {
    this.#main = main;
    this.#handlers = handlers;
  }

  /**
   * Show the room of this type and name, or "Room not found".
   * @param {'c'|'p'} type
   * @param {string} name
   */
  async open(type, name) {
    this.#main.replaceChildren(h('div', { class: 'skeleton', 'aria-busy': 'true' }));
    try {
      this.room = await ddp.call('getRoomByTypeAndName', type, name);
    } catch {
      if (!this.#closed) showNotFound(this.#main);
      return;
    }
    if (this.#closed) return;
    const rid = this.room._id;
    this.#listen(`stream-room-messages/${rid}`, ([message]) => this.arrived(message));
    this.#listen(`stream-notify-room/${rid}/deleteMessage`, ([{ _id }]) => this.#drop(_id));
    await this.#follow();
    await this.loadHistory();
    if (this.#closed) return;
    const area = h('section', { id: `chat-window-${rid}`, 'aria-label': t('channel') }, this.#list);
    this.#main.replaceChildren(this.#head, area);
    this.refresh();
    this.#list.scrollTop = this.#list.scrollHeight;
    const told = await announced(this.room);
    if (told) fire('room-opened', told);
  }

  close() {
    this.#closed = true;
    [...this.#listeners, ...this.#streams].forEach(({ stop }) => stop());
  }

  /** Subscribe to the room; anew after a join, because what was refused to a guest is not refused to a member. */
  #follow() {
    const { _id: rid } = this.room;
    this.#streams.forEach(({ stop }) => stop());
    this.#streams = [ddp.stream('stream-room-messages', rid),
      ddp.stream('stream-notify-room', `${rid}/deleteMessage`)];
    return this.#streams[0].ready;
  }

  #listen(event, handle) {
    const listener = ({ detail }) => handle(detail);
    ddp.addEventListener(event, listener);
    this.#listeners.push({ stop: () => ddp.removeEventListener(event, listener) });
  }

  /** Fetch the newest messages; also after a reconnection or a join. */
  async loadHistory() {
    const rid = this.room._id;
    if (!this.#mayRead()) return;
    const history = await ddp.call('loadHistory', rid, null, 50, null, false).catch(() => false);
    const messages = history ? history.messages : [];  // The server says false to who may not read the room.
    for (const message of messages.reverse()) this.#messages.set(message._id, message);
    if (!this.#closed) this.#draw();
  }

  #mayRead() {
    const { _id, t: type } = this.room;
    return subscriptionOf(_id) || type !== 'c' || may('preview-c-room', _id);
  }

  /** Put a pushed message in its place; also one that only this user sees. */
  arrived(message) {
    if (message.rid !== this.room?._id) return;
    const known = this.#messages.get(message._id);
    this.#messages.set(message._id, message);
    this.#draw();
    if (!known || known.unconfirmed) fire('new-message', message);
    this.#markRead();
  }

  #drop(id) {
    this.#messages.delete(id);
    this.#draw();
  }

  #markRead() {
    const rid = this.room._id;
    const { alert, unread } = subscriptionOf(rid) ?? {};
    if (document.hidden || this.#reading || !(alert || unread)) return;
    this.#reading = true;
    rest('POST', 'subscriptions.read', { rid }).catch(() => null).finally(() => (this.#reading = false));
  }

  /** Take over a changed room document. */
  update(room) {
    if (room._id !== this.room?._id) return;
    Object.assign(this.room, room);
    this.refresh();
  }

  /** Follow subscription, permissions, settings and the room itself. */
  refresh() {
    const area = this.#list.parentElement;
    if (!this.room || !area?.isConnected) return;
    const { topic, usersCount } = this.room;
    const about = [displayName(this.room), topic, usersCount && t('members', usersCount)].filter(Boolean).join(' · ');
    this.#head.hidden = embedded && !setting('UI_Show_top_navbar_embedded_layout');
    this.#head.replaceChildren(h('h1', {}, displayName(this.room)), topic ? h('h2', {}, topic) : '',
      h('div', { role: 'toolbar', 'aria-label': 'Primary Room actions' }, h('button', { type: 'button', class: 'plain info',
        'aria-label': 'Room Information', title: 'Room Information', onclick: () => toast(about, 'info') }, 'i')));
    const kind = composerKind(this.room);
    if (kind !== this.#kind) {
      const joined = this.#kind && kind === 'member';
      this.#kind = kind;
      area.querySelector('footer')?.remove();
      const sent = (message) => {
        this.#messages.set(message._id, { ...message, unconfirmed: true });
        this.#draw();
      };
      area.append(composer(this.room, kind, { ...this.#handlers, sent, failed: (id) => this.#drop(id) }));
      if (joined) this.#follow().then(() => this.loadHistory());
    }
    this.#draw();
    this.#markRead();
  }

  #draw() {
    const list = this.#list;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const lastSeen = millis(subscriptionOf(this.room._id)?.ls);
    const start = this.#mayRead() ? t('start') : t('mustJoin');
    const wanted = [this.#reuse('start', start, () => h('li', { class: 'start' }, start))];
    let before = null;
    let day = '';
    for (const message of [...this.#messages.values()].sort((one, other) => millis(one.ts) - millis(other.ts))) {
      const date = new Date(millis(message.ts)).toLocaleDateString(locale(), { dateStyle: 'long' });
      const separator = () => h('div', { role: 'separator', 'aria-label': date }, date);
      if (date !== day) wanted.push(this.#reuse(date, date, separator));
      const sequential = Boolean(before && date === day && !before.t && !message.t &&
        before.u._id === message.u._id && millis(message.ts) - millis(before.ts) < GROUPING);
      const options = { sequential, lastSeen };
      wanted.push(this.#reuse(message._id, JSON.stringify([message, options, setting('UI_Use_Real_Name')]),
        () => messageElement(message, options)));
      [before, day] = [message, date];
    }
    for (const [at, element] of wanted.entries()) {
      if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    }
    while (list.children.length > wanted.length) list.lastChild.remove();
    list.setAttribute('aria-busy', 'false');
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  /** The element drawn before for this key, unless its content has changed. */
  #reuse(key, content, make) {
    if (this.#drawn.get(key)?.content !== content) this.#drawn.set(key, { content, element: make() });
    return this.#drawn.get(key).element;
  }
}
