/** A server with a token, behind a prefix: the page asks once, and everything works from then on, the live stream too. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { close, open, withBrowser } from "./browser";
import { serve, type Server } from "./server";

withBrowser();

const TOKEN = "0123456789abcdef";
let server: Server;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graflow-e2e-token-"));
  server = await serve(folder, ["--prefix", "/lineage"], { GRAFLOW_LINEAGE_TOKEN: TOKEN });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

test("asks for the token once", async () => {
  const opened = await open("/executions", { url: server.url });
  const { page } = opened;
  // The stream is opened with a ticket, and says the token nowhere.
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.getByRole("heading", { name: "This server wants a token" }).waitFor();
  await page.getByLabel("Token").fill("not the token at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await page.getByText("Nothing has run yet").waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  expect(sockets.length).toBeGreaterThan(0);
  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/lineage/" }]);
  expect(JSON.stringify(await page.evaluate(() => [document.cookie, { ...localStorage }]))).not.toContain(
    TOKEN,
  );
  const answer = await fetch(`${server.url}/api/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify([
      {
        event_id: "1",
        type: "workflow_started",
        time: "2026-11-23T12:00:00Z",
        execution_id: "e",
        workflow_name: "behind",
      },
    ]),
  });
  expect(answer.status).toBe(200);
  await page.getByRole("link", { name: "behind" }).click();
  await page.getByRole("heading", { name: /behind/ }).waitFor();
  expect(page.url()).toBe(`${server.url}/executions/e`);
  await page.reload();
  await page.getByRole("heading", { name: /behind/ }).waitFor();
  await close(opened);
});
