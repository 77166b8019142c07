/*
 * Keeps what the chat's frame says before the page's modules have loaded: a message that arrives without a
 * listener is lost, and the chat says "signed out" only once. A classic script, so that it runs before the
 * frame is parsed. ChatFrame empties it (chat-messages.js).
 */
(() => {
  const messages = [];
  const keep = (event) => messages.push(event);
  window.addEventListener("message", keep);
  window.besedkaInbox = {
    /** Give the kept messages away and stop keeping. */
    drain() {
      window.removeEventListener("message", keep);
      return messages.splice(0);
    },
  };
})();
