/** The program under test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

/** Where cargo puts programs. */
export const programs =
  process.env["GRAFLOW_PROGRAMS"] ?? fileURLToPath(new URL("../../target/debug", import.meta.url));

/** The checkout: what examples read, and where `--reload` finds the pages that were built last. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url));
/** `GRAFLOW_RELOAD=1` looks at web/dist instead of the pages in the program, which may be older. */
const RELOAD = process.env["GRAFLOW_RELOAD"] ? ["--reload"] : [];

export interface Server {
  url: string;
  stop: () => Promise<void>;
}

/** Starts it on a free port; it answers when this returns. */
export async function serve(folder: string, options: string[] = [], environment = {}): Promise<Server> {
  const child = spawn(
    join(programs, "graflow"),
    ["lineage", "--data-dir", folder, "serve", "--port", "0", ...RELOAD, ...options],
    { cwd: checkout, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const [first] = (await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the server ended with ${String(code)}`))),
  ])) as [Buffer];
  return {
    url: first.toString().trim(),
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
