import { defineConfig } from "vitest/config";

// One server and one set of real runs for all files; one browser a file, one file after the other on a small machine.
export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["e2e/setup.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
