/** /chat/test/: one channel, sign-in by Rocket.Chat's own OAuth command. */

import { AbsentRooms } from "./absent-rooms.js";
import { ChatFrame, SignInProblem } from "./chat-frame.js";
import { askSite } from "./site-login.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));
const absent = new AbsentRooms();

/** Why the chat refuses this person, as the site's server hears it; null where it does not. */
async function refusal() {
  try {
    await askSite(frame, frame.dataset.checkUrl);
    return null;
  } catch (problem) {
    if (!(problem instanceof SignInProblem)) throw problem;
    return problem;
  }
}

const chat = new ChatFrame(frame, {
  // Without redirectUrl the frame would come back to /home without the embedded layout.
  command: () => ({
    externalCommand: "call-custom-oauth-login",
    service: frame.dataset.service,
    redirectUrl: frame.dataset.frameUrl,
  }),
  // A browser lets the chat open a window only after a click in the chat itself.
  click: frame.dataset.loginStyle === "popup" ? frame.dataset.buttonLabel : "",
  ignored: "commandIgnored",
  // The command itself leads back to the channel.
  reconnect: false,
  explain: refusal,
  onReady: async (fresh) => {
    if (!fresh) return;
    const turn = chat.turn;
    const answer = await askSite(frame, frame.dataset.checkUrl).catch(() => ({}));
    if (turn !== chat.turn) return;
    absent.labels = answer.absent ?? [];
    absent.tell();
  },
  onEvent: (name) => absent.heard(name),
});
chat.start();
