// Weighs the build: what the first page loads, and all of it, as brotli bytes over the wire.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const DIST = new URL("../dist/", import.meta.url).pathname;
const MOST_FIRST = 250 * 1024;
const MOST_ALL = 600 * 1024;

const sizes = new Map();
for (const entry of await readdir(DIST, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith(".br")) continue;
  const path = join(entry.parentPath, entry.name);
  sizes.set(path.slice(DIST.length, -3), (await stat(path)).size);
}
if (sizes.size === 0) throw new Error("nothing is built; run `npm run build` first");

// The first page is index.html, what it names, and what those import before they run.
const first = new Set();
async function load(name) {
  if (first.has(name) || !sizes.has(name)) return;
  first.add(name);
  if (!/\.(js|html)$/.test(name)) return;
  const text = await readFile(join(DIST, name), "utf8");
  const named = name.endsWith(".html")
    ? text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)
    : text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g);
  for (const [, path] of named) await load(name.endsWith(".html") ? path : `assets/${path}`);
}
await load("index.html");

const sum = (names) => [...names].reduce((all, name) => all + sizes.get(name), 0);
const checks = [
  ["first page", sum(first), MOST_FIRST],
  ["all", sum(sizes.keys()), MOST_ALL],
];
for (const [what, bytes, most] of checks) {
  console.log(`${what}: ${(bytes / 1024).toFixed(1)} KiB brotli, at most ${most / 1024} KiB`);
  if (bytes > most) process.exitCode = 1;
}
