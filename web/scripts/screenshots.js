// Takes the pictures in docs/images, from a real server and real runs of the examples. `cargo build` first, and the pages.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const programs = process.env["GRAFLOW_PROGRAMS"] ?? join(checkout, "target/debug");
const images = join(checkout, "docs/images");
const EXAMPLES = ["hello", "etl", "census", "agent_loop", "dynamic_fan_out", "failures"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];

const folder = await mkdtemp(join(tmpdir(), "graflow-screenshots-"));
const server = spawn(
  join(programs, "graflow"),
  ["lineage", "--data-dir", folder, "serve", "--port", "0", "--reload"],
  {
    cwd: checkout,
    stdio: ["ignore", "pipe", "ignore"],
  },
);
const [said] = await once(server.stdout, "data");
const url = said.toString().trim();
try {
  const env = { ...process.env, GRAFLOW_LINEAGE_URL: url };
  // A copy, so that no picture shows where somebody keeps their checkout.
  const copy = join(folder, "graflow");
  await promisify(execFile)("git", ["clone", "--quiet", checkout, copy]);
  for (let round = 0; round < 5; round += 1) {
    for (const name of EXAMPLES)
      await promisify(execFile)(join(programs, name), name === "census" ? ["--path", copy] : [], {
        cwd: copy,
        env,
      });
  }
  await mkdir(images, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: FLAGS,
  });
  for (const [name, path, width = 1280, height = 800] of await pages()) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({
        viewport: { width, height },
        colorScheme,
        timezoneId: "UTC",
        locale: "en-GB",
      });
      await page.goto(url + path);
      await page.waitForLoadState("networkidle");
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(images, `${name}-${colorScheme}.png`) });
      await page.close();
      console.log(`docs/images/${name}-${colorScheme}.png`);
    }
  }
  await browser.close();
} finally {
  server.kill("SIGTERM");
  await once(server, "exit");
  await rm(folder, { recursive: true });
}

/** What is shown, each under the name of its picture. */
async function pages() {
  const newest = async (words) => {
    const response = await fetch(`${url}/api/executions?limit=1&${words}`);
    return (await response.json()).executions[0].execution_id;
  };
  const census = `/executions/${await newest("workflow_name=census")}`;
  return [
    ["overview", "/"],
    ["executions", "/executions"],
    ["execution", `${census}?task=history&critical=1`, 1440, 900],
    ["timeline", `${census}?tab=timeline&critical=1`],
    ["table", `${census}?tab=table`],
    ["data", `${census}?tab=data&key=files_seen&version=3`],
    ["events", `${census}?tab=events`],
    ["logs", `${census}?tab=logs`],
    ["compare", `${census}?tab=compare`],
    ["failed", `/executions/${await newest("status=failed&workflow_name=weights")}`],
    ["workflow", "/workflows/census"],
    ["profile", "/workflows/census/profile"],
    ["task", "/tasks/history?workflow=census"],
    ["help", "/help"],
    ["phone", census, 390, 800],
  ];
}
