/** /chat/integrated/: a button per channel, sign-in by a login token that the site asks the chat for. */

import { AbsentRooms } from "./absent-rooms.js";
import { ChannelSwitch } from "./channel-switch.js";
import { ChatFrame } from "./chat-frame.js";
import { refusal } from "./refusal.js";
import { askSite } from "./site-login.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));
const absent = new AbsentRooms();
const bySelf = frame.dataset.sso === "iframe-auth";

async function tokenCommand() {
  const answer = await askSite(frame, frame.dataset.authUrl);
  absent.labels = answer.absent ?? [];
  return { externalCommand: "login-with-token", token: answer.loginToken };
}

const channels = new ChannelSwitch(document.getElementById("chatChannels"), (command) => chat.send(command));

const chat = new ChatFrame(frame, {
  command: tokenCommand,
  byItself: bySelf,
  astray: bySelf,
  explain: () => refusal(frame),
  ignored: "tokenIgnored",
  // The chat's own log-out ends at /home without the embedded layout: the sidebar would show.
  reconnect: true,
  frameUrl: () => {
    channels.disable();
    return frame.dataset.chatUrl + channels.path;
  },
  onReady: (fresh) => {
    channels.enable();
    const { turn } = chat;
    if (fresh && bySelf) absent.ask(frame, () => turn === chat.turn);
    else absent.tell();
  },
  onEvent: (name) => absent.heard(name),
});
chat.start();
