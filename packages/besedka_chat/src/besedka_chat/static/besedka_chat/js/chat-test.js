/** /chat/test/: one channel, sign-in by Rocket.Chat's own OAuth command. */

import { AbsentRooms } from "./absent-rooms.js";
import { ChatFrame } from "./chat-frame.js";
import { refusal } from "./refusal.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));
const absent = new AbsentRooms();
const { sso, loginStyle } = frame.dataset;
// The server-side flow of Rocket.Chat 8.7 ends at /home, whatever the command says; a window of it leaves the
// frame where it is.
const ledAway = sso === "iframe-auth" || (sso === "oauth-modern" && loginStyle !== "popup");

const chat = new ChatFrame(frame, {
  // Without redirectUrl the frame would come back to /home without the embedded layout.
  command: () => ({
    externalCommand: "call-custom-oauth-login",
    service: frame.dataset.service,
    redirectUrl: frame.dataset.frameUrl,
  }),
  // A browser lets the chat open a window only after a click in the chat itself.
  click: loginStyle === "popup" ? frame.dataset.buttonLabel : "",
  ignored: "commandIgnored",
  byItself: sso === "iframe-auth",
  astray: ledAway,
  // Otherwise the command itself leads back to the channel.
  reconnect: ledAway,
  explain: () => refusal(frame),
  onReady: (fresh) => {
    const { turn } = chat;
    if (fresh) absent.ask(frame, () => turn === chat.turn);
  },
  onEvent: (name) => absent.heard(name),
});
chat.start();
