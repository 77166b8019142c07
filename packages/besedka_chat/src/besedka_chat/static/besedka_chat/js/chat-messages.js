/**
 * Messages between this page and Rocket.Chat's frame.
 *
 * Out: `{externalCommand, ...}`, taken only with Iframe_Integration_receive_enable and an allowed origin.
 * In: `{eventName, data}`, sent only with Iframe_Integration_send_enable
 * (Rocket.Chat: apps/meteor/client/startup/iframeCommands.ts, client/lib/utils/fireGlobalEvent.ts).
 */

export const LOGGED_IN = "Custom_Script_Logged_In";
export const LOGGED_OUT = "Custom_Script_Logged_Out";

/**
 * Call `handler(eventName, data)` for each event of that frame, the ones kept by inbox.js first.
 * Everything from another window or another origin is ignored.
 * @param {HTMLIFrameElement} frame
 * @param {string} chatUrl
 * @param {(name: string, data: any) => void} handler
 */
export function listen(frame, chatUrl, handler) {
  const origin = new URL(chatUrl).origin;
  /** @param {MessageEvent} event */
  const receive = (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    if (typeof event.data?.eventName === "string") handler(event.data.eventName, event.data.data);
  };
  const kept = window.besedkaInbox?.drain() ?? [];
  window.addEventListener("message", receive);
  kept.forEach(receive);
}

/**
 * Send one command to the chat; nobody but the chat's origin can read it.
 * @param {HTMLIFrameElement} frame
 * @param {string} chatUrl
 * @param {{externalCommand: string}} command
 */
export function send(frame, chatUrl, command) {
  frame.contentWindow?.postMessage(command, new URL(chatUrl).origin);
}
