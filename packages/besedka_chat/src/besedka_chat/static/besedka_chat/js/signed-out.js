/** /accounts/logged-out/: signs the chat out as well, in a small frame out of sight, and says how it went. */

import { LOGGED_IN, LOGGED_OUT, listen, send } from "./chat-messages.js";
import { showStatus } from "./chat-notice.js";
import { Patience } from "./patience.js";
import { forgetChatUser } from "./site-session.js";

const MAX_LOGOUTS = 2;
const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("rocketChatFrame"));
const help = document.getElementById("chatHelp");
const chatUrl = frame.dataset.chatUrl;
const patience = new Patience(Number(frame.dataset.patience));
let logouts = 0;
let timer = 0;

/** @param {string} text what to say unless the chat speaks in time */
function expect(text) {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => {
    showStatus(text);
    help.hidden = false;
  }, patience.milliseconds);
}

listen(frame, chatUrl, (name) => {
  patience.heard();
  if (name === LOGGED_OUT) {
    window.clearTimeout(timer);
    forgetChatUser();
    help.hidden = true;
    showStatus("Вы вышли с сайта и из чата.");
  } else if (name === LOGGED_IN && logouts < MAX_LOGOUTS) {
    logouts += 1;
    send(frame, chatUrl, { externalCommand: "logout" });
    expect(
      "С сайта вы вышли, а из чата нет: он не выполнил команду выхода. Он не принимает команд этой страницы " +
        "(Iframe_Integration_receive_enable, Iframe_Integration_receive_origin), или его сервер ответил на " +
        "выход ошибкой: тогда об этом сказано в журнале чата.",
    );
  }
});
expect(
  "С сайта вы вышли. Чат за отведённое время не ответил: он недоступен или не сообщает о себе " +
    "(Iframe_Integration_send_enable, Iframe_Restrict_Access).",
);
