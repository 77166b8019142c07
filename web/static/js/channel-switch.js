/** Buttons that change the room of the chat's frame without loading it anew. */

const MAX_RESENDS = 3;
/** How long a room may take to open: a cold client needs seconds for its first one. */
const OPENING_MS = 3000;
/** The same while other rooms are being reported: the last of several fast clicks is on its way. */
const SETTLING_MS = 700;

export class ChannelSwitch {
  /** The room to end in: the last click, or where the chat itself went. @type {string} */
  wish;
  /** The room that the chat reported last. @type {string | null} */
  opened = null;
  pending = false;
  resends = 0;
  timer = 0;
  enabled = false;

  /**
   * @param {HTMLElement} group holds one button per channel (data-channel, data-path)
   * @param {object} options
   * @param {(command: object) => void} options.send
   * @param {(settled: boolean) => void} options.onSettled false: the chat never opened the room
   */
  constructor(group, options) {
    this.options = options;
    this.buttons = new Map(
      [...group.querySelectorAll("button[data-channel]")].map((button) => [button.dataset.channel, button]),
    );
    this.wish = group.querySelector('[aria-pressed="true"]').dataset.channel;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-channel]");
      if (button) this.choose(button.dataset.channel);
    });
  }

  /** Path of the room to end in, for loading the frame there. */
  get path() {
    return this.buttons.get(this.wish)?.dataset.path ?? [...this.buttons.values()][0].dataset.path;
  }

  /** @param {string} name */
  choose(name) {
    this.wish = name;
    this.resends = 0;
    this.pending = true;
    this.paint();
    if (this.enabled) this.go();
  }

  /** The chat is signed in: from now on commands are heard. The frame has been loaded at the wish mostly. */
  enable() {
    this.enabled = true;
    if (this.opened === this.wish) {
      this.settle(true);
      return;
    }
    this.resends = 0;
    if (this.pending) this.go();
    this.pending = true;
    this.watch(OPENING_MS);
  }

  /** The chat is loading or signed out: wishes are kept, nothing is sent. */
  disable() {
    this.enabled = false;
    this.opened = null;
    this.pending = false;
    window.clearTimeout(this.timer);
  }

  /** @param {{name?: string}} room as Rocket.Chat's room-opened event carries it */
  roomOpened(room) {
    if (!room?.name) return;
    this.opened = room.name;
    if (this.opened === this.wish) this.settle(true);
    else if (this.pending) this.watch(SETTLING_MS);
    else if (this.enabled) {
      // Nobody clicked here: somebody followed a link inside the chat.
      this.wish = room.name;
      this.settle(true);
    }
    this.paint();
  }

  go() {
    this.options.send({ externalCommand: "go", path: this.path });
    this.watch(OPENING_MS);
  }

  again() {
    if (this.opened === this.wish) {
      this.settle(true);
      return;
    }
    if (this.resends >= MAX_RESENDS) {
      this.settle(false);
      return;
    }
    this.resends += 1;
    this.go();
  }

  /** @param {number} patience milliseconds */
  watch(patience) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.enabled && this.again(), patience);
  }

  /** @param {boolean} arrived */
  settle(arrived) {
    window.clearTimeout(this.timer);
    this.pending = false;
    this.resends = 0;
    this.paint();
    if (arrived && this.buttons.has(this.wish)) {
      // A reload then stays in the channel.
      window.history.replaceState(null, "", `?channel=${encodeURIComponent(this.wish)}`);
    }
    this.options.onSettled(arrived);
  }

  /** Pressed is the room that is open; busy is the one being opened. */
  paint() {
    const open = this.opened ?? this.wish;
    for (const [name, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(name === open));
      button.setAttribute("aria-busy", String(this.pending && name === this.wish && name !== this.opened));
    }
  }
}
