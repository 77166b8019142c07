/** /chat/test/: one channel, sign-in by Rocket.Chat's own OAuth command. */

import { ChatFrame } from "./chat-frame.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));

new ChatFrame(frame, {
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
}).start();
