/** /chat/test/: one channel, sign-in by Rocket.Chat's own OAuth command. */

import { AbsentRooms } from "./absent-rooms.js";
import { ChatFrame } from "./chat-frame.js";
import { refusal } from "./refusal.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));
const absent = new AbsentRooms();

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
  byItself: frame.dataset.sso === "iframe-auth",
  // The server-side flow of Rocket.Chat 8.7 ends at /home, whatever the command says.
  astray: frame.dataset.sso !== "oauth",
  // The command itself leads back to the channel.
  reconnect: frame.dataset.sso !== "oauth",
  explain: () => refusal(frame),
  onReady: (fresh) => {
    const { turn } = chat;
    if (fresh) absent.ask(frame, () => turn === chat.turn);
  },
  onEvent: (name) => absent.heard(name),
});
chat.start();
