/** What the site's server says when it signs this person in to the chat: a login token, or why not. */

import { PROBLEMS, SignInProblem } from "./chat-problems.js";
import { csrfToken } from "./site-session.js";

/**
 * @param {HTMLIFrameElement} frame
 * @param {string} url
 * @returns {Promise<{loginToken?: string, absent?: string[]}>} throws SignInProblem with the site's own words
 */
export async function askSite(frame, url) {
  let response;
  let answer;
  try {
    response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { [frame.dataset.csrfHeader]: csrfToken(frame.dataset.csrfCookie) },
    });
    answer = await response.json();
  } catch {
    throw new SignInProblem(PROBLEMS.siteSilent);
  }
  if (response.ok) return answer;
  const hints = [answer.error, answer.found].filter(Boolean);
  throw new SignInProblem(
    { text: `${answer.message} Подробности:`, hints },
    { retryAfter: answer.retryAfter, signedOut: response.status === 401 },
  );
}
