/** What is wrong with the chat for certain, as the site's server and the page itself see it. */

/**
 * @typedef {object} Proof
 * @property {string[]} silence why the frame can say nothing
 * @property {string[]} commands why it does not do as it is told
 */

const NEEDED = ["allow-scripts", "allow-same-origin", "allow-forms"];

/**
 * What the page itself sees wrong with its frame: attributes that take the chat what it lives on.
 * @param {HTMLIFrameElement} frame
 * @returns {string[]}
 */
export function frameFaults(frame) {
  const missing = frame.hasAttribute("sandbox") ? NEEDED.filter((one) => !frame.sandbox.contains(one)) : [];
  return [
    ...(missing.length ? [`у окна чата атрибут sandbox без ${missing.join(", ")}`] : []),
    ...(frame.hasAttribute("credentialless") ? ["у окна чата атрибут credentialless: вход в нём не сохраняется"] : []),
  ];
}

/**
 * Ask the site; an answer that does not come proves nothing.
 * @param {string} url
 * @returns {Promise<Proof>}
 */
export async function askProof(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (response.ok) return await response.json();
  } catch {
    // As below.
  }
  return { silence: [], commands: [] };
}
