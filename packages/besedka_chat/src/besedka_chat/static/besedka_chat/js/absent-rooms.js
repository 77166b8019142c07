/**
 * Says which rooms of the page the chat's account is not in. There Rocket.Chat shows a button to join, or no room
 * at all. The page itself would call the chat ready.
 */

import { hideProblem, showProblem } from "./chat-notice.js";
import { askSite } from "./site-login.js";

// Rocket.Chat says it of each room that somebody joins or is invited to (client/lib/utils/fireGlobalEvent.ts).
const JOINED = "unread-changed-by-subscription";

export class AbsentRooms {
  /** Labels of the rooms. @type {string[]} */
  labels = [];

  /**
   * Ask the site, after the chat has signed itself in; an answer that does not come changes nothing.
   * @param {HTMLIFrameElement} frame
   * @param {() => boolean} holds whether the chat is still what it was when it was asked
   */
  async ask(frame, holds) {
    const answer = await askSite(frame, frame.dataset.checkUrl).catch(() => ({}));
    if (!holds()) return;
    this.labels = answer.absent ?? [];
    this.tell();
  }

  tell() {
    if (!this.labels.length) return;
    const named = this.labels.map((label) => `«${label}»`).join(", ");
    const rooms = this.labels.length === 1 ? "комнате" : "комнатах";
    showProblem(
      {
        text:
          `Вас нет в ${rooms} ${named}. Нажмите «Присоединиться» в окне чата; если такой кнопки нет, ` +
          "попросите администратора чата добавить вас.",
      },
      () => undefined,
    );
  }

  /** @param {string} name of an event of the chat */
  heard(name) {
    if (name !== JOINED || !this.labels.length) return;
    this.labels = [];
    hideProblem();
  }
}
