/** Who is signed in to the site, and for whom the chat was signed in. */

const CHAT_USER_KEY = "besedka.chat.user";

/**
 * Ask the site who is signed in.
 * @param {string} url
 * @returns {Promise<{id: string, username: string, handedOut: number | null} | null | undefined>} null: nobody; undefined: no answer
 */
export async function askSession(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (response.status === 401) return null;
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

/** @returns {string | null} site id of the user the chat was signed in for by this browser */
export function chatUser() {
  return window.localStorage.getItem(CHAT_USER_KEY);
}

/** @param {string} id */
export function rememberChatUser(id) {
  window.localStorage.setItem(CHAT_USER_KEY, id);
}

export function forgetChatUser() {
  window.localStorage.removeItem(CHAT_USER_KEY);
}

/**
 * CSRF token from its cookie: a log-in in another tab changes it, the one in this page's form is then old.
 * A site that keeps the token in its session, or from scripts, has no such cookie. Then the form's one is taken.
 * @param {string} cookieName CSRF_COOKIE_NAME of Django's settings
 */
export function csrfToken(cookieName) {
  const cookie = document.cookie
    .split("; ")
    .find((one) => one.startsWith(`${cookieName}=`))
    ?.slice(cookieName.length + 1);
  return cookie ?? document.querySelector('input[name="csrfmiddlewaretoken"]')?.value ?? "";
}
