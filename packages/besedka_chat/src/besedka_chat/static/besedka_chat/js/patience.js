/**
 * How long the chat is waited for before the page says that it does not answer.
 *
 * Rocket.Chat's own client is slow and uneven. Until the message box two quiet cores need 12 to 14 s, and
 * loaded ones over 30 s (measured on 6.13.0). So the first load may take all that the contract allows
 * (`[chat] patience`). What follows may take a multiple of what the first load took. Time alone accuses nobody: what is
 * wrong for certain is asked of the site meanwhile (proof.js).
 */

/** Until the site is asked for the first time whether something is wrong, in milliseconds. */
export const DOUBT_MS = 5000;

const FACTOR = 4;
const FLOOR_MS = 30000;
// The least: from a warm cache a client may load in less time than a log-in takes.
const LOG_IN_MS = 1000;

export class Patience {
  /** Milliseconds from the first load's begin to the chat's first word. @type {number | null} */
  measured = null;
  /** @type {(() => void) | null} */
  late = null;
  timer = 0;

  /** @param {number} seconds the longest wait */
  constructor(seconds) {
    this.limit = seconds * 1000;
    this.began = performance.now();
  }

  /** The chat said something. */
  heard() {
    this.measured ??= performance.now() - this.began;
  }

  /**
   * Give a log-in that may be on its way as long as the first load took, which was more work.
   * @param {() => void} late what to do then; a later call takes its place
   */
  giveLogIn(late) {
    window.clearTimeout(this.timer);
    this.late = late;
    this.timer = window.setTimeout(() => {
      this.late = null;
      late();
    }, Math.min(this.limit, Math.max(LOG_IN_MS, this.measured ?? 0)));
  }

  /** The frame has loaded a page: what is on its way is given that time again. */
  moved() {
    if (this.late) this.giveLogIn(this.late);
  }

  /** The next wait in milliseconds. */
  get milliseconds() {
    const scaled = this.measured === null ? Infinity : Math.max(FLOOR_MS, FACTOR * this.measured);
    return Math.min(this.limit, scaled);
  }
}
