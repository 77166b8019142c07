/** Building elements and showing toasts. Text is only ever set as text, never as markup. */

/**
 * @param {string} tag
 * @param {Object<string, *>} [attributes] `on*` are listeners, true is a bare attribute, false and null leave it out
 * @param {...(Node|string|null|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

/**
 * The initial of a person in a colour of their own.
 * @param {{username: string, name?: string}} person
 * @param {string} [tag]
 * @param {Object<string, *>} [attributes]
 */
export function avatar({ username, name }, tag = 'span', attributes = {}) {
  const hue = Array.from(username, (letter) => letter.codePointAt()).reduce((sum, code) => (sum * 31 + code) % 360, 0);
  return h(tag, { class: 'avatar', style: `background: hsl(${hue} 38% 45%)`, ...attributes },
    (name || username)[0].toUpperCase());
}

/** The page while it boots: `alert "loading"`. */
export const loading = () =>
  h('div', { class: 'page-loading', role: 'alert', 'aria-busy': 'true', 'aria-label': 'loading' },
    h('i'), h('i'), h('i'));

/**
 * Show a message for five seconds, or until closed, the way the real client does.
 * @param {string} text
 * @param {'error'|'info'} [kind]
 */
export function toast(text, kind = 'error') {
  const bar = h('div', { class: `rcx-toastbar ${kind}`, role: 'alert' }, h('span', {}, text),
    h('button', { type: 'button', 'aria-label': 'Close', onclick: () => bar.remove() }, '×'));
  document.body.append(bar);
  setTimeout(() => bar.remove(), 5000);
}

/**
 * What a person reads of a refusal: the server's reason.
 * @param {{reason?: string, message?: string, error?: string|number}} refusal
 */
export const reasonOf = (refusal) => String(refusal.reason || refusal.message || refusal.error);
