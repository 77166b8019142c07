/** Why the chat refuses this person, as the site's server hears it: the chat's own client says nothing. */

import { SignInProblem } from "./chat-problems.js";
import { askSite } from "./site-login.js";

/**
 * @param {HTMLIFrameElement} frame
 * @returns {Promise<SignInProblem | null>} null where the chat lets this person in
 */
export async function refusal(frame) {
  try {
    await askSite(frame, frame.dataset.checkUrl);
    return null;
  } catch (problem) {
    if (!(problem instanceof SignInProblem)) throw problem;
    return problem;
  }
}
