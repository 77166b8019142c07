/**
 * How awkward this client is: traits that the stand-in's `--client-mood` chooses, each seen on the real client (6.5.3,
 * 6.13.0). Without them this client is fast and well-behaved, which hides faults of programs that depend on it.
 */
const traits = (document.documentElement.dataset.mood ?? '').split(' ');
const has = (trait) => traits.includes(trait);
const SLOW_MS = 10000;
const LATE_MS = 3000;
const EARLY_MS = 300;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const visited = new Set();
let revisited = null;

/** `slow`: modules are fetched and compiled; nothing is heard and nothing said meanwhile. */
export const loaded = () => (has('slow') ? pause(SLOW_MS) : Promise.resolve());

/** `twice`: a load logs in twice, and asks the iframe log-in API twice. */
export const logsInTwice = has('twice');

/**
 * `early`: "signed out" is said while a log-in is still on its way, and before `startup` (6.13.0).
 * client/views/root/MainLayout speaks when React shows it; client/startup/startup.ts waits for the page to be loaded.
 */
export const speaksEarly = has('early');
export const onItsWay = () => pause(EARLY_MS);

/** `mangled`: a token stays in the address, which gets `?layout=embedded` once more at its end with each load. */
export const keepsToken = has('mangled');

/**
 * The room that `room-opened` names when one is shown, null for no event.
 * `mute`: never one. `late`: seconds later, whatever is shown by then. `previous`: a first visit names itself; of the
 * visits to known rooms the first names nothing. Each later one names the room of the one before
 * (client/views/room/hooks/useOpenRoom.ts).
 * @param {{_id: string}} room
 * @returns {Promise<Object|null>}
 */
export async function announced(room) {
  if (has('late')) await pause(LATE_MS);
  if (has('mute')) return null;
  if (!has('previous')) return room;
  const known = visited.has(room._id);
  visited.add(room._id);
  if (!known) return room;
  const named = revisited;
  revisited = room;
  return named;
}
