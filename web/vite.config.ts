import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { keepFolder, precompress } from "./scripts/vite-plugins";

// Every address in the bundle is relative: index.html's <base>, which the server fills in, says to what. So one build
// works at the root and under a path prefix.
export default defineConfig({
  base: "./",
  plugins: [svelte(), keepFolder(), precompress()],
  build: { target: "es2022", emptyOutDir: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } } },
  test: { include: ["tests/**/*.test.ts"] },
});
