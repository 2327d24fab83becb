/** Starts the real server on a free port and runs the real examples against it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { TestProject } from "vitest/node";

import { checkout, programs, serve } from "./server";

const run = promisify(execFile);
/** What fails by itself ends with a code that says so. */
const EXAMPLES = ["hello", "etl", "census", "agent_loop", "dynamic_fan_out", "failures"];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "graflow-e2e-"));
  const server = await serve(folder);
  for (const name of EXAMPLES) {
    const environment = { ...process.env, GRAFLOW_LINEAGE_URL: server.url };
    await run(join(programs, name), [], { cwd: checkout, env: environment, timeout: 60_000 });
  }
  project.provide("url", server.url);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  };
}

declare module "vitest" {
  interface ProvidedContext {
    url: string;
  }
}
