/**
 * Keeps Rocket.Chat's frame signed in as the site's user: the state machine behind both chat pages.
 *
 *   connecting ──Logged_Out──▶ signing-in ──Logged_In──▶ ready
 *       │                         ▲                        │ the chat's own log-out
 *       └──Logged_In of another──▶ leaving ──Logged_Out────┴──▶ signing-in
 *   any ──session of the site gone──▶ signed-out          any ──no use in going on──▶ stopped
 *
 * The sign-in command goes out after a Logged_Out event: earlier it is lost. A second one would start the
 * OAuth over before it is done, so it waits until the frame is at rest. Two attempts without a Logged_In in
 * between are the last. Where a window has to be opened, `awaiting-click` takes the place of `signing-in`:
 * the person clicks, and the chat says Logged_In.
 */

import { hideProblem, showProblem, showStatus } from "./chat-notice.js";
import { LOGGED_IN, LOGGED_OUT, listen, send } from "./chat-messages.js";
import { PROBLEMS, SignInProblem } from "./chat-problems.js";
import { DOUBT_MS, Patience } from "./patience.js";
import { askProof, frameFaults } from "./proof.js";
import { askSession, chatUser, forgetChatUser, rememberChatUser } from "./site-session.js";

/** @typedef {"connecting"|"signing-in"|"awaiting-click"|"leaving"|"ready"|"signed-out"|"stopped"} ChatState */

const MAX_ATTEMPTS = 2;
const MAX_LOGOUTS = 3;
const MAX_SIGN_INS_A_MINUTE = 4;
const SESSION_CHECK_MS = 60000;
/** What is waited for, and for how many seconds at most. */
const WAITING = {
  connecting: "Чат загружается. Первая загрузка бывает долгой: ждём до % с…",
  "signing-in": "Входим: ждём, когда чат подтвердит вход, до % с…",
  leaving: "Ждём, когда чат выйдет из чужой учётной записи, до % с…",
};

export class ChatFrame {
  /** @type {ChatState} */
  state = "connecting";
  heard = false;
  /** The chat said Logged_In last. */
  occupied = false;
  /** The chat said Logged_Out since it was last connected. */
  seenEmpty = false;
  commandSent = false;
  /** This page has signed the chat in. */
  fresh = false;
  attempts = 0;
  logouts = 0;
  /** Grows with every event, so that an answer that was waited for can tell that it came too late. */
  turn = 0;
  loads = 0;
  loadsAtCommand = 0;
  /** @type {number[]} */
  signIns = [];
  timer = 0;
  doubt = 0;
  asking = false;

  /**
   * @param {HTMLIFrameElement} frame with the data-* attributes of besedka_chat/includes/chat_frame.html
   * @param {object} options
   * @param {() => object | Promise<object>} options.command the command that signs in
   * @param {string} [options.click] label of the chat's button that a person has to click instead
   * @param {string} options.ignored key of the problem to show when the command has no effect at all
   * @param {boolean} options.reconnect load the frame anew after the chat's own log-out
   * @param {() => string} [options.frameUrl] where to load it
   * @param {boolean} [options.byItself] the chat asks the site who is there (iframe authentication): no command
   * @param {boolean} [options.astray] a sign-in ends on another page of the chat: load the frame anew
   * @param {() => Promise<SignInProblem | null>} [options.explain] why the chat refuses this person
   * @param {(fresh: boolean) => void} [options.onReady] fresh: this page has signed the chat in
   * @param {(name: string) => void} [options.onEvent] every event of the chat
   */
  constructor(frame, options) {
    this.frame = frame;
    this.options = options;
    this.chatUrl = frame.dataset.chatUrl;
    this.userId = frame.dataset.userId;
    this.patience = new Patience(Number(frame.dataset.patience));
  }

  /** Begin; the frame is loading already. */
  start() {
    this.enter("connecting", "Соединяемся с чатом…");
    this.signOfLife();
    this.frame.addEventListener("load", () => this.loaded());
    listen(this.frame, this.chatUrl, (name) => this.handle(name));
    const check = () => document.visibilityState === "visible" && this.checkSession();
    document.addEventListener("visibilitychange", check);
    window.addEventListener("focus", check);
    window.addEventListener("pageshow", (event) => event.persisted && check());
    window.setInterval(check, SESSION_CHECK_MS);
  }

  /** @param {object} command */
  send(command) {
    send(this.frame, this.chatUrl, command);
  }

  /** Load the frame anew and begin again, with fresh counters if a person asked for it. */
  connect({ fresh = false } = {}) {
    if (fresh) {
      this.attempts = 0;
      this.logouts = 0;
      this.signIns = [];
    }
    this.turn += 1;
    this.heard = false;
    this.commandSent = false;
    this.seenEmpty = false;
    this.enter("connecting", "Соединяемся с чатом…");
    this.signOfLife();
    this.frame.src = this.options.frameUrl?.() ?? this.frame.dataset.frameUrl;
  }

  /** @param {string} name */
  handle(name) {
    if (!this.heard && this.state === "connecting") this.enter("connecting", "Соединяемся с чатом…");
    this.heard = true;
    this.patience.heard();
    this.signOfLife();
    if (name === LOGGED_OUT) this.chatSignedOut();
    else if (name === LOGGED_IN) this.chatSignedIn();
    this.options.onEvent?.(name);
  }

  chatSignedOut() {
    this.turn += 1;
    const before = this.state;
    this.occupied = false;
    this.seenEmpty = true;
    if (before === "signed-out") forgetChatUser();
    if (before === "signed-out" || before === "stopped") return;
    const wasInside = before === "ready" || before === "leaving";
    const { turn } = this;
    if (wasInside && this.options.reconnect) this.connect();
    // 6.13.0's client says Logged_Out while its log-in is still on the way, and at times twice (measured).
    else if (this.commandSent) this.patience.giveLogIn(() => turn === this.turn && this.signIn());
    else this.signIn();
  }

  chatSignedIn() {
    this.turn += 1;
    this.occupied = true;
    if (this.options.byItself && ["connecting", "leaving", "signing-in"].includes(this.state)) {
      this.signedInByItself();
      return;
    }
    if (this.state === "leaving") return;
    if (this.state === "signed-out") {
      this.checkSession();
      return;
    }
    // A person may have signed in by hand, into a chat that was empty before.
    const byHand = ["stopped", "awaiting-click"].includes(this.state) && this.seenEmpty;
    if (this.commandSent || byHand) this.arrived();
    else if (chatUser() === this.userId) this.ready();
    else this.leave();
  }

  /** The signed-in user may be somebody of an earlier visit: the site knows whom it has just let in. */
  async signedInByItself() {
    const turn = this.turn;
    if (this.state === "connecting" && chatUser() === this.userId) {
      this.ready();
      return;
    }
    const user = await askSession(this.frame.dataset.sessionUrl);
    if (turn !== this.turn) return;
    const handedOut = user?.handedOut ?? Infinity;
    if (user?.id === this.userId && handedOut * 1000 <= performance.now()) this.arrived();
    else if (user === null) this.siteSignedOut();
    else if (this.state !== "leaving") this.leave();
  }

  /** Signed in just now, for this page's user. */
  arrived() {
    this.fresh = true;
    const inPlace = this.options.byItself && this.state === "connecting";
    if (!this.options.astray || inPlace) {
      this.ready();
      return;
    }
    rememberChatUser(this.userId);
    this.connect();
  }

  ready() {
    const { fresh } = this;
    this.fresh = false;
    rememberChatUser(this.userId);
    this.attempts = 0;
    this.logouts = 0;
    this.commandSent = false;
    this.enter("ready", "Чат готов");
    this.options.onReady?.(fresh);
  }

  /** Sign the chat out of another user's account; the Logged_Out that follows begins the sign-in. */
  leave() {
    if (this.logouts >= MAX_LOGOUTS) {
      this.stop("tooOften");
      return;
    }
    this.logouts += 1;
    this.enter("leaving", "Выходим из чужой учётной записи чата…");
    this.send({ externalCommand: "logout" });
    this.expect(() => this.stop("logoutIgnored"));
  }

  async signIn() {
    const minuteAgo = Date.now() - 60000;
    this.signIns = this.signIns.filter((moment) => moment > minuteAgo);
    if (this.attempts >= MAX_ATTEMPTS) {
      await this.refused();
      return;
    }
    if (this.signIns.length >= MAX_SIGN_INS_A_MINUTE) {
      this.stop("tooOften");
      return;
    }
    const turn = this.turn;
    this.enter("signing-in", "Входим…");
    if (!(await this.sessionHolds(turn))) return;
    if (this.options.click) {
      this.enter("awaiting-click", `Нажмите «${this.options.click}» в окне чата: вход откроется в новом окне.`);
      return;
    }
    if (this.options.byItself) {
      this.signIns.push(Date.now());
      this.expect(() => this.refused());
      return;
    }
    let command;
    try {
      command = await this.options.command();
    } catch (problem) {
      if (turn === this.turn) this.commandFailed(problem);
      return;
    }
    if (turn !== this.turn) return;
    this.attempts += 1;
    this.signIns.push(Date.now());
    this.commandSent = true;
    this.loadsAtCommand = this.loads;
    this.send(command);
    this.signOfLife();
  }

  /** Twice in vain. The chat's own client says nothing of a refusal, so the site's server hears why. */
  async refused() {
    const turn = this.turn;
    this.commandSent = false;
    this.enter("signing-in", "Выясняем, почему чат не принял вход…");
    const why = await this.options.explain?.();
    if (turn !== this.turn) return;
    if (why?.signedOut) this.siteSignedOut();
    else this.stop(this.options.byItself ? "notAsked" : "refused", why ? { retry: true, open: true, ...why.problem } : undefined);
  }

  /** @param {unknown} problem */
  commandFailed(problem) {
    if (!(problem instanceof SignInProblem)) throw problem;
    if (problem.signedOut) {
      this.siteSignedOut();
      return;
    }
    this.enter("stopped", "Войти не удалось");
    showProblem({ retry: true, open: true, ...problem.problem }, () => this.connect({ fresh: true }));
    if (problem.retryAfter) {
      this.attempts += 1;
      if (this.attempts < MAX_ATTEMPTS) {
        this.timer = window.setTimeout(() => this.connect(), problem.retryAfter * 1000);
      }
    }
  }

  /**
   * Ask the site who is signed in, and act on it if it is not this page's user.
   * @param {number} turn
   */
  async sessionHolds(turn) {
    const user = await askSession(this.frame.dataset.sessionUrl);
    if (turn !== this.turn) return false;
    if (user === undefined) this.stop("siteSilent");
    else if (user === null) this.siteSignedOut();
    else if (user.id !== this.userId) window.location.reload();
    else return true;
    return false;
  }

  /** The same question on focus and once a minute; here an answer that does not come changes nothing. */
  async checkSession() {
    if (this.asking) return;
    this.asking = true;
    const user = await askSession(this.frame.dataset.sessionUrl);
    this.asking = false;
    if (user === null) this.siteSignedOut();
    else if (user && (user.id !== this.userId || this.state === "signed-out")) window.location.reload();
  }

  siteSignedOut() {
    if (this.occupied && this.logouts < MAX_LOGOUTS) {
      this.logouts += 1;
      this.send({ externalCommand: "logout" });
    }
    if (this.state === "signed-out") return;
    this.turn += 1;
    this.enter("signed-out", "Вы вышли с сайта");
    showProblem(PROBLEMS.siteSignedOut, () => undefined);
  }

  /** A page of this site in the frame can be read, one of a chat elsewhere cannot: that tells them apart. */
  loaded() {
    this.loads += 1;
    this.patience.moved();
    this.signOfLife();
    const page = this.frame.contentDocument?.location;
    if (this.state !== "signing-in" || page?.origin !== window.location.origin) return;
    // The chat below a path of the site's own host.
    const chat = new URL(this.chatUrl);
    if (page.origin === chat.origin && `${page.pathname}/`.startsWith(`${chat.pathname}/`)) return;
    if (page.pathname === new URL(this.frame.dataset.loginUrl, page.href).pathname) this.checkSession();
    else this.stop("authorize");
  }

  /** The chat did something: give it the time again before saying that it is late. */
  signOfLife() {
    if (this.state === "connecting") this.expect(() => this.problem(this.heard ? "stuck" : "silent"));
    if (this.state !== "signing-in" || !this.commandSent) return;
    this.expect(() => this.problem(this.loads === this.loadsAtCommand ? this.options.ignored : "noLogin"));
  }

  /** Say what seems wrong and go on listening: a slow chat may still come. */
  problem(key) {
    showStatus("Чат не отвечает");
    showProblem(PROBLEMS[key], () => this.connect({ fresh: true }));
  }

  /**
   * Say what is wrong and do nothing more by itself.
   * @param {string} key
   * @param {import("./chat-problems.js").Problem} [problem] in better words than those of the key
   */
  stop(key, problem = PROBLEMS[key]) {
    this.turn += 1;
    this.commandSent = false;
    this.enter("stopped", "Войти не удалось");
    // Another person's account, which would not be left, stays out of sight.
    this.frame.toggleAttribute("data-veiled", this.occupied);
    showProblem(problem, () => this.connect({ fresh: true }));
  }

  /**
   * @param {ChatState} state
   * @param {string} status
   */
  enter(state, status) {
    this.cease();
    this.state = state;
    this.frame.dataset.state = state;
    delete this.frame.dataset.proved;
    const stranger = state === "connecting" && ![null, this.userId].includes(chatUser());
    this.frame.toggleAttribute("data-veiled", stranger || state === "leaving" || state === "signed-out");
    hideProblem();
    showStatus(status);
  }

  /** @param {() => void} late what to do unless the state changes in time */
  expect(late) {
    this.cease();
    this.timer = window.setTimeout(late, this.patience.milliseconds);
    this.doubt = window.setTimeout(() => this.lookForProof(), DOUBT_MS);
  }

  cease() {
    window.clearTimeout(this.timer);
    window.clearTimeout(this.doubt);
  }

  /** It takes long: say what is waited for, and whether it can come at all. */
  async lookForProof() {
    const [turn, state] = [this.turn, this.state];
    showStatus(WAITING[state].replace("%", String(Math.ceil(this.patience.milliseconds / 1000))));
    const [proof, why] = await Promise.all([
      askProof(this.frame.dataset.proofUrl),
      this.options.byItself && state === "signing-in" ? this.options.explain?.() : null,
    ]);
    if (turn !== this.turn || state !== this.state) return;
    if (why) {
      this.stop("notAsked", { retry: true, open: true, ...why.problem });
      return;
    }
    const certain = [...frameFaults(this.frame), ...proof.silence];
    const hints = state === "connecting" ? certain : [...certain, ...proof.commands];
    if (!hints.length) return;
    this.frame.dataset.proved = "";
    showStatus("Чат не может открыться");
    showProblem({ ...PROBLEMS.proved, hints }, () => this.connect({ fresh: true }));
  }
}
