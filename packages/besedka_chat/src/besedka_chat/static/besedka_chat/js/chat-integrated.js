/** /chat/integrated/: a button per channel, sign-in by a login token that the site asks the chat for. */

import { ChannelSwitch } from "./channel-switch.js";
import { ChatFrame, SignInProblem } from "./chat-frame.js";
import { PROBLEMS } from "./chat-problems.js";
import { csrfToken } from "./site-session.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));

/** Ask the site for a login token; throws SignInProblem with the site's own words. */
async function tokenCommand() {
  let response;
  let answer;
  try {
    response = await fetch(frame.dataset.authUrl, {
      method: "POST",
      credentials: "same-origin",
      headers: { [frame.dataset.csrfHeader]: csrfToken(frame.dataset.csrfCookie) },
    });
    answer = await response.json();
  } catch {
    throw new SignInProblem(PROBLEMS.siteSilent);
  }
  if (response.ok) return { externalCommand: "login-with-token", token: answer.loginToken };
  const hints = [answer.error, answer.found].filter(Boolean);
  throw new SignInProblem(
    { text: `${answer.message} Подробности:`, hints },
    { retryAfter: answer.retryAfter, signedOut: response.status === 401 },
  );
}

const channels = new ChannelSwitch(document.getElementById("chatChannels"), (command) => chat.send(command));

const chat = new ChatFrame(frame, {
  command: tokenCommand,
  ignored: "tokenIgnored",
  // The chat's own log-out ends at /home without the embedded layout: the sidebar would show.
  reconnect: true,
  frameUrl: () => {
    channels.disable();
    return frame.dataset.chatUrl + channels.path;
  },
  onReady: () => channels.enable(),
});
chat.start();
