// The same for Node.js: `NODE_OPTIONS=--require <this file>`; see sitecustomize.py.
const dns = require("node:dns");

const led = Object.fromEntries(
  (process.env.BESEDKA_HOSTS || "").split(",").filter(Boolean).map((pair) => pair.split("=")),
);
for (const owner of [dns, dns.promises]) {
  const ofTheSystem = owner.lookup;
  owner.lookup = (name, ...rest) => ofTheSystem.call(owner, led[String(name).toLowerCase()] || name, ...rest);
}
