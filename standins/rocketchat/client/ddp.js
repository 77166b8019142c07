/** DDP over a WebSocket (Meteor's protocol, version 1) and the REST calls beside it. */

const STREAM = /^stream-/;

/**
 * Events: `connection` {detail: boolean}; `<collection>` {detail: {msg, id, fields, cleared}} of published
 * collections; `<stream>/<eventName>` {detail: args} of streams.
 */
class Ddp extends EventTarget {
  #socket = null;
  #open = false;
  #tries = 0;
  #timer = null;
  #next = 1;
  #methods = new Map();
  #subscriptions = new Map();

  /** Runs after each (re)connection and before anything that waited: here the session is resumed. */
  beforeResume = async () => {};

  connect() {
    clearTimeout(this.#timer);
    // Meteor, packages/ddp-client/client/client_convenience.js
    const told = globalThis.__meteor_runtime_config__?.DDP_DEFAULT_CONNECTION_URL;
    const base = new URL(told || document.baseURI, document.baseURI).href.replace(/^http/, 'ws');
    const socket = new WebSocket(new URL('websocket', base.endsWith('/') ? base : `${base}/`));
    this.#socket = socket;
    socket.onopen = () => this.#send({ msg: 'connect', version: '1', support: ['1'] });
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      this.#open = false;
      this.dispatchEvent(new CustomEvent('connection', { detail: false }));
      const wait = Math.min(30000, 250 * 2 ** this.#tries++) * (0.75 + Math.random() / 2);
      this.#timer = setTimeout(() => this.connect(), wait);
    };
  }

  /** Do not wait out the pause between two attempts: the network is back. */
  hurry() {
    if (this.#socket?.readyState === WebSocket.CLOSED) this.connect();
  }

  /**
   * Call a method. While the connection is down the call waits and is sent when it is back.
   * @param {string} method
   * @param {...*} params EJSON
   * @returns {Promise<*>} the result; rejects with the server's `{error, reason, message, details}`
   */
  call(method, ...params) {
    return this.#method(method, params, this.#open);
  }

  /** Call a method before the session is resumed, as log-ins must. */
  callNow(method, ...params) {
    return this.#method(method, params, this.#socket?.readyState === WebSocket.OPEN);
  }

  #method(method, params, sendNow) {
    const message = { msg: 'method', id: String(this.#next++), method, params };
    return new Promise((resolve, reject) => {
      const entry = { message, resolve, reject, sentOn: null };
      this.#methods.set(message.id, entry);
      if (sendNow) this.#sendMethod(entry);
    });
  }

  #sendMethod(entry) {
    entry.sentOn = this.#socket;
    this.#send(entry.message);
  }

  /**
   * Subscribe, and again after each reconnection, until `stop()`.
   * @returns {{ready: Promise<void>, stop: () => void}} `ready` resolves on `ready` and on a refusal alike
   */
  subscribe(name, ...params) {
    const message = { msg: 'sub', id: `s${this.#next++}`, name, params };
    const ready = new Promise((resolve) => this.#subscriptions.set(message.id, { message, resolve }));
    if (this.#open) this.#send(message);
    const stop = () => {
      if (this.#subscriptions.delete(message.id) && this.#open) this.#send({ msg: 'unsub', id: message.id });
    };
    return { ready, stop };
  }

  /** Subscribe to one event of a stream of Rocket.Chat. */
  stream(name, event) {
    return this.subscribe(name, event, { useCollection: false, args: [] });
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  async #connected() {
    await this.beforeResume();
    this.#open = true;
    this.#tries = 0;
    for (const { message } of this.#subscriptions.values()) this.#send(message);
    for (const method of this.#methods.values()) if (method.sentOn !== this.#socket) this.#sendMethod(method);
    this.dispatchEvent(new CustomEvent('connection', { detail: true }));
  }

  #receive(data) {
    const { msg, id } = data;
    if (msg === 'connected') this.#connected();
    else if (msg === 'ping') this.#send({ msg: 'pong', ...(id && { id }) });
    else if (msg === 'ready') data.subs.forEach((sub) => this.#subscriptions.get(sub)?.resolve());
    else if (msg === 'nosub') this.#subscriptions.get(id)?.resolve();
    else if (msg === 'result') {
      const method = this.#methods.get(id);
      this.#methods.delete(id);
      if (data.error) method?.reject(data.error);
      else method?.resolve(data.result);
    } else if (data.collection && STREAM.test(data.collection)) {
      const { eventName, args } = data.fields;
      this.dispatchEvent(new CustomEvent(`${data.collection}/${eventName}`, { detail: args }));
    } else if (data.collection) this.dispatchEvent(new CustomEvent(data.collection, { detail: data }));
  }
}

export const ddp = new Ddp();
window.addEventListener('online', () => ddp.hurry());

/**
 * A REST call as the signed-in user.
 * @param {'GET'|'POST'} verb
 * @param {string} path below /api/v1/
 * @param {Object} [body]
 * @returns {Promise<Object>} the answer; rejects with `{error, reason}`, the code and the text without it
 */
export async function rest(verb, path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const [userId, token] = [localStorage.getItem('Meteor.userId'), localStorage.getItem('Meteor.loginToken')];
  if (token) Object.assign(headers, { 'X-User-Id': userId, 'X-Auth-Token': token });
  const address = new URL(`api/v1/${path}`, document.baseURI);
  const answer = await fetch(address, { method: verb, headers, body: body && JSON.stringify(body) });
  const data = await answer.json();
  if (answer.ok && data.success !== false) return data;
  const text = String(data.error ?? data.message ?? answer.status);
  throw { error: data.errorType ?? text, reason: text.replace(/ \[[^\]]+\]$/, '') };
}

/**
 * A method over REST (`method.callAnon`), the way the real client signs in by OAuth
 * (apps/meteor/client/meteorOverrides/ddpOverREST.ts).
 */
export async function callAnonymously(method, ...params) {
  const message = JSON.stringify({ msg: 'method', id: '1', method, params });
  const answer = await rest('POST', `method.callAnon/${method.replaceAll('/', ':')}`, { message });
  const { error, result } = JSON.parse(answer.message);
  if (error) throw error;
  return result;
}

/** Milliseconds of a date in EJSON (`{$date}`) or ISO form; 0 where there is none. */
export const millis = (date) => (date ? date.$date ?? Date.parse(date) : 0);

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** A random id of Meteor's kind: 17 characters; 43 with `-` and `_` among them for a secret. */
export function randomId(length = 17) {
  const alphabet = length === 43 ? `${LETTERS}-_` : LETTERS;
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => alphabet[n % alphabet.length]).join('');
}
