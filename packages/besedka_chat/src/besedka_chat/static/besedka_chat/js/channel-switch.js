/**
 * Buttons that change the room of the chat's frame without loading it anew.
 *
 * A button that is pressed says which room was chosen, not which one the chat reports: no page of another origin
 * can know what the frame shows. `room-opened` comes late, twice, or with the name of an earlier room; for a room that
 * was open before it does not come at all (measured on 6.13.0; `client/views/room/hooks/useOpenRoom.ts`). So it is
 * not listened to. The command `go` changes the route at once and in the order of the clicks
 * (`client/startup/iframeCommands.ts`). So the last click wins and nothing is ever sent twice.
 */

export class ChannelSwitch {
  /** The room that was chosen last. @type {string} */
  wish;
  /** The room at which the frame was loaded, or to which it was sent last. @type {string | null} */
  sent = null;
  enabled = false;

  /**
   * @param {HTMLElement} group holds one button per channel (data-channel, data-path)
   * @param {(command: object) => void} send
   */
  constructor(group, send) {
    this.send = send;
    this.buttons = new Map(
      [...group.querySelectorAll("button[data-channel]")].map((button) => [button.dataset.channel, button]),
    );
    this.wish = group.querySelector('[aria-pressed="true"]').dataset.channel;
    this.sent = this.wish;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-channel]");
      if (button) this.choose(button.dataset.channel);
    });
  }

  /** Path of the chosen room, for loading the frame there. */
  get path() {
    return this.buttons.get(this.wish).dataset.path;
  }

  /** @param {string} name */
  choose(name) {
    this.wish = name;
    for (const [each, button] of this.buttons) button.setAttribute("aria-pressed", String(each === name));
    // A reload then stays in the channel.
    window.history.replaceState(null, "", `?channel=${encodeURIComponent(name)}`);
    // Also where the button was pressed already: the chat may have been led elsewhere by a link of its own.
    if (this.enabled) this.go();
  }

  /** The chat is signed in: from now on commands are heard. */
  enable() {
    this.enabled = true;
    if (this.sent !== this.wish) this.go();
  }

  /** The frame is loaded anew, at the chosen room: choices are kept, nothing is sent. */
  disable() {
    this.enabled = false;
    this.sent = this.wish;
  }

  go() {
    this.sent = this.wish;
    this.send({ externalCommand: "go", path: this.path });
  }
}
