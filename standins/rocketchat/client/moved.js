/**
 * The question to an administrator whose workspace has another address or database than before
 * (client/startup/rootUrlChange.ts, 6.5.3; seen on a running 6.5.3: nothing beside it can be reached).
 */
import { rest } from './ddp.js';
import { h } from './dom.js';
import { t } from './texts.js';

let dialog = null;

function answer(text, setDeploymentAs) {
  return h('button', { type: 'button', onclick: () => rest('POST', 'fingerprint', { setDeploymentAs }) }, t(text));
}

/**
 * @param {boolean} asked whether the question is open
 * @param {HTMLElement} root what it covers
 */
export function askWhetherMoved(asked, root) {
  if (asked === (dialog !== null)) return;
  if (asked) {
    dialog = h('dialog', { 'aria-labelledby': 'moved' }, h('h2', { id: 'moved' }, t('moved')), h('p', {}, t('whatMoved')),
      answer('updated', 'updated-configuration'), answer('newWorkspace', 'new-workspace'));
    root.after(dialog);
    dialog.showModal();
  } else {
    dialog.remove();
    dialog = null;
  }
  root.toggleAttribute('inert', asked);
  if (asked) root.setAttribute('aria-hidden', 'true');
  else root.removeAttribute('aria-hidden');
}
