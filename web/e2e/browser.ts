/** A browser, pages that report what goes wrong in them, and questions to the server beside it. */
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

let browser: Browser;

/** One browser for the tests of a file. */
export function withBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(() => browser.close());
}

export interface Options {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
  url?: string;
}

export interface Opened {
  page: Page;
  /** What the page complained of. */
  faults: string[];
}

/** Opens a path of the server's pages; nothing on it may go wrong, and nothing may be asked of anybody else. */
export async function open(path: string, options: Options = {}): Promise<Opened> {
  const url = options.url ?? inject("url");
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.theme ?? "light",
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`threw ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`showed ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[14]/.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith("data:")) faults.push(`asked ${asked}`);
  });
  await page.goto(url + path);
  return { page, faults };
}

/** Closes a page that must have been without fault. */
export async function close({ page, faults }: Opened): Promise<void> {
  await page.context().close();
  expect(faults).toEqual([]);
}

/** Asks the server. */
export async function ask<A>(path: string, url = inject("url")): Promise<A> {
  const response = await fetch(url + path);
  expect(response.status, path).toBe(200);
  return (await response.json()) as A;
}

/** Sends events. */
export async function post(events: object[], url = inject("url")): Promise<void> {
  const response = await fetch(`${url}/api/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  const answer = (await response.json()) as { invalid: unknown[] };
  expect(answer.invalid).toEqual([]);
}

/** The newest run of a workflow. */
export async function newest(workflow: string): Promise<string> {
  const query = `/api/executions?limit=1&workflow_name=${encodeURIComponent(workflow)}`;
  const { executions } = await ask<{ executions: { execution_id: string }[] }>(query);
  return executions[0]?.execution_id ?? "";
}
