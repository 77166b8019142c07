/** What is wrong with the chat for certain, as the site's server sees it. */

/**
 * @typedef {object} Proof
 * @property {string[]} silence why the frame can say nothing
 * @property {string[]} commands why it does not do as it is told
 */

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
