// What our build does beside Vite's own: keep the tracked dist/.gitignore, and compress once instead of per answer.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url).pathname;
const COMPRESSED = /\.(js|css|svg|html)$/;

/** Empties dist/ before a build, but for its .gitignore: cargo watches the folder, so it must always be there. */
export function keepFolder() {
  return {
    name: "keep-folder",
    apply: "build",
    async buildStart() {
      for (const name of await readdir(DIST)) {
        if (name !== ".gitignore") await rm(join(DIST, name), { recursive: true });
      }
    },
  };
}

/** Writes FILE.br and FILE.gz beside every text file. */
export function precompress() {
  return {
    name: "precompress",
    apply: "build",
    async closeBundle() {
      for (const entry of await readdir(DIST, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !COMPRESSED.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const text = await readFile(path);
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        await writeFile(`${path}.br`, brotliCompressSync(text, quality));
        await writeFile(`${path}.gz`, gzipSync(text, { level: 9 }));
      }
    },
  };
}
