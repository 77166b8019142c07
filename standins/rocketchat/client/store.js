/** What the server tells and pushes: public settings, log-in services, the user's subscriptions and permissions. */
import { ddp, rest } from './ddp.js';

const settings = new Map();
const services = new Map();
let subscriptions = new Map();
let permissions = new Map();
let streams = [];

/** `me` of the signed-in user (GET /api/v1/me), null when nobody is signed in. */
export let user = null;

/**
 * Events: `settings`, `services`, `rooms` (subscriptions, permissions or a room's document),
 * `subscription` {detail: [action, subscription]}, `room` {detail: room}, `message` {detail: a message
 * for this user alone, such as a refusal to send}, `user`, `force-logout`.
 */
export const store = new EventTarget();
const tell = (type, detail) => store.dispatchEvent(new CustomEvent(type, { detail }));

export const setting = (id) => settings.get(id);

/** Keep the public settings live. */
export const followSettings = () => ddp.stream('stream-notify-all', 'public-settings-changed');

/** Read the public settings; also after a reconnection. Resolves when they are known. */
export async function loadSettings() {
  for (const { _id, value } of await ddp.call('public-settings/get')) settings.set(_id, value);
  tell('settings');
}

/** Subscribe to the log-in services; resolves when they are known. */
export const loadServices = () => ddp.subscribe('meteor.loginServiceConfiguration').ready;

/** @returns {Array<{service: string, clientId: string, serverURL: string, authorizePath: string, scope: string,
 *   loginStyle: string, buttonLabelText: string, showButton: boolean}>} */
export const loginServices = () => [...services.values()].filter(({ custom }) => custom);

export const loginService = (name) => loginServices().find(({ service }) => service === name);

ddp.addEventListener('stream-notify-all/public-settings-changed', ({ detail: [action, { _id, value }] }) => {
  if (action === 'removed') settings.delete(_id);
  else settings.set(_id, value);
  tell('settings');
});

ddp.addEventListener('meteor_accounts_loginServiceConfiguration', ({ detail: { msg, id, fields, cleared = [] } }) => {
  if (msg === 'removed') services.delete(id);
  else {
    const service = { ...(msg === 'changed' && services.get(id)), ...fields };
    cleared.forEach((field) => delete service[field]);
    services.set(id, service);
  }
  tell('services');
});

/** Name of a room or subscription as the sidebar and the heading show it. */
export const displayName = ({ name, fname }) =>
  (setting('UI_Allow_room_names_with_special_chars') && fname) || name || fname;

export const mySubscriptions = () => [...subscriptions.values()];

export const subscriptionOf = (rid) => mySubscriptions().find((subscription) => subscription.rid === rid);

/** Whether the user holds a permission, by a role of their own or one given in the room. Unknown permissions: no. */
export function may(permission, rid) {
  const roles = user ? [...(user.roles ?? []), ...(subscriptionOf(rid)?.roles ?? [])] : ['anonymous'];
  return roles.some((role) => permissions.get(permission)?.includes(role));
}

/** Unread counter of all rooms the way the real client tells it: a number, a dot for alerts only, or nothing. */
export function unread() {
  const counted = mySubscriptions().filter(({ open }) => open);
  return counted.reduce((sum, one) => sum + (one.unread ?? 0), 0) || (counted.some(({ alert }) => alert) ? '•' : '');
}

/** Which role may do what; for anonymous readers too. */
export async function loadPermissions() {
  const rows = await ddp.call('permissions/get');
  permissions = new Map(rows.map((permission) => [permission._id, permission.roles]));
}

/** Fetch what belongs to the signed-in user; also after a reconnection, when pushes may have been missed. */
export async function loadUser() {
  const visit = streams;
  const [me, rooms] = await Promise.all([rest('GET', 'me'), ddp.call('subscriptions/get'), loadPermissions()]);
  if (visit !== streams) return;  // Somebody else has signed in, or nobody is any more.
  user = me;
  subscriptions = new Map(rooms.map((subscription) => [subscription._id, subscription]));
  tell('rooms');
}

/** Begin listening to the user's own streams, then fetch: in this order no push falls between. */
export async function openUser(uid) {
  const events = ['userData', 'subscriptions-changed', 'rooms-changed', 'message', 'force_logout'];
  closeUser();
  streams = [...events.map((event) => ddp.stream('stream-notify-user', `${uid}/${event}`)),
    ddp.stream('stream-notify-logged', 'permissions-changed')];
  const handlers = {
    userData: () => rest('GET', 'me').then((me) => { user = me; tell('user'); }),
    'subscriptions-changed': ([action, subscription]) => {
      if (action === 'removed') subscriptions.delete(subscription._id);
      else subscriptions.set(subscription._id, { ...subscriptions.get(subscription._id), ...subscription });
      tell('subscription', [action, subscription]);
    },
    'rooms-changed': ([, room]) => tell('room', room),
    message: ([message]) => tell('message', message),
    force_logout: () => tell('force-logout'),
  };
  for (const event of events) {
    const listener = ({ detail }) => handlers[event](detail);
    ddp.addEventListener(`stream-notify-user/${uid}/${event}`, listener);
    streams.push({ stop: () => ddp.removeEventListener(`stream-notify-user/${uid}/${event}`, listener) });
  }
  await streams[0].ready;
  await loadUser();
}

/** Forget the user and stop listening. */
export function closeUser() {
  streams.forEach(({ stop }) => stop());
  streams = [];
  user = null;
  subscriptions = new Map();
  permissions = new Map();
}

ddp.addEventListener('stream-notify-logged/permissions-changed', ({ detail: [action, permission] }) => {
  if (action === 'removed') permissions.delete(permission._id);
  else permissions.set(permission._id, permission.roles);
  tell('rooms');
});
