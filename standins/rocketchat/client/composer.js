/** What stands below the messages: the message box, or why there is none (apps/meteor/client/views/room/composer). */
import { ddp, randomId, rest } from './ddp.js';
import { h, reasonOf, toast } from './dom.js';
import { may, subscriptionOf, user } from './store.js';
import { t } from './texts.js';

const MARKS = {
  bold: { mark: '*', icon: 'B' }, italic: { mark: '_', icon: 'I' }, strike: { mark: '~', icon: 'S' },
  code: { mark: '`', icon: '‹›' },
};

/**
 * Which composer a room gets, in the order in which the real client asks.
 * @param {Object} room as `getRoomByTypeAndName` gives it
 * @returns {'anonymous'|'read-only'|'read-only-join'|'password'|'preview'|'member'}
 */
export function composerKind(room) {
  const member = subscriptionOf(room._id);
  if (!user) return 'anonymous';
  const unmuted = room.unmuted?.includes(user.username);
  const readOnly = room.archived || (room.ro && !unmuted && !may('post-readonly', room._id));
  if (readOnly) return member ? 'read-only' : 'read-only-join';
  if (member) return 'member';
  return room.joinCodeRequired && !may('join-without-join-code', room._id) ? 'password' : 'preview';
}

const refused = (problem) => toast(reasonOf(problem));
const button = (label, onclick, attributes = {}) =>
  h('button', { type: 'button', class: 'primary', onclick, ...attributes }, label);

/** The page changes when `subscriptions-changed` is pushed, not when the call returns. */
const join = (rid) => ddp.call('joinRoom', rid).catch(refused);
const joinByRest = (roomId, joinCode) =>
  rest('POST', 'channels.join', { roomId, ...(joinCode && { joinCode }) }).catch(refused);

function passwordForm(room) {
  const code = h('input', { type: 'password', 'aria-label': t('insertPassword'), placeholder: t('insertPassword'),
    autocomplete: 'off', oninput: () => (send.disabled = !code.value) });
  const send = h('button', { class: 'primary', type: 'submit', disabled: true }, t('joinWithPassword'));
  const submit = (event) => {
    event.preventDefault();
    joinByRest(room._id, code.value);
  };
  return h('form', { 'aria-label': t('joinWithPassword'), class: 'callout', onsubmit: submit },
    h('span', {}, t('preview')), code, send);
}

/** Put a mark on both sides of what is selected. */
function wrap(box, mark) {
  const { selectionStart: from, selectionEnd: to } = box;
  box.setRangeText(mark + box.value.slice(from, to) + mark, from, to, 'end');
  box.dispatchEvent(new Event('input'));
  box.focus();
}

/**
 * @param {Object} room
 * @param {string} kind of `composerKind`
 * @param {{sent: (message: Object) => void, failed: (id: string) => void, signIn: () => void}} handlers
 *   `sent` gets the message at once, before the server has it
 * @returns {HTMLElement}
 */
export function composer(room, kind, handlers) {
  if (kind === 'anonymous') {
    return h('footer', {}, h('div', { class: 'callout' }, button(t('anonymous'), handlers.signIn)));
  }
  if (kind === 'password') return h('footer', {}, passwordForm(room));
  if (kind.startsWith('read-only')) {
    return h('footer', {}, h('div', { class: 'callout' }, h('span', {}, t('readOnly')),
      kind === 'read-only-join' && button(t('join'), () => joinByRest(room._id))));
  }
  const disabled = kind === 'preview';
  const label = `${t('message')} #${room.fname || room.name}`;
  const box = h('textarea', { name: 'msg', rows: '1', 'aria-label': label, placeholder: label, disabled,
    class: 'rc-message-box__textarea js-input-message' });
  const submit = () => {
    const msg = box.value.trim();
    if (!msg) return;
    const message = { _id: randomId(), rid: room._id, msg };
    handlers.sent({ ...message, ts: { $date: Date.now() }, u: user });
    box.value = '';
    box.dispatchEvent(new Event('input'));
    ddp.call('sendMessage', message, null).catch((problem) => {
      refused(problem);
      handlers.failed(message._id);
    });
  };
  const send = disabled ? button(t('join'), () => join(room._id)) : button(t('send'), submit, { disabled: true });
  box.addEventListener('input', () => {
    send.disabled = !box.value.trim();
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
  });
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  const tools = Object.entries(MARKS).map(([name, { mark, icon }]) => h('button', { type: 'button',
    class: `plain ${name}`, 'aria-label': t(name), title: t(name), disabled, onclick: () => wrap(box, mark) }, icon));
  const toolbar = h('div', { role: 'toolbar', 'aria-label': 'Composer Primary Actions' }, ...tools);
  return h('footer', {}, h('div', { role: 'group', class: 'box' }, box,
    h('div', { class: 'row' }, toolbar, h('div', { role: 'group' }, send))));
}
