/** What a person prefers, kept in this browser; and the time, which all pages share. */
import { micros, type Zone } from "./text/time";

export type Theme = "system" | "light" | "dark";

function kept(name: string): string | null {
  try {
    return localStorage.getItem(`graflow.${name}`);
  } catch {
    return null;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`graflow.${name}`, value);
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

class Settings {
  zone: Zone = $state(kept("zone") === "utc" ? "utc" : "local");
  theme: Theme = $state((kept("theme") as Theme | null) ?? "system");
  /** Microseconds since 1970 by the server's clock, told each second. */
  now = $state(Date.now() * 1_000);
  private ahead = 0;

  constructor() {
    setInterval(() => (this.now = this.exactNow()), 1_000);
    showTheme(this.theme);
  }

  /** The time now, for what moves between two seconds. */
  exactNow(): number {
    return Date.now() * 1_000 + this.ahead;
  }

  /** A browser's clock may be wrong; what is shown as running is measured by the server's. */
  setServerTime(time: string): void {
    const ahead = micros(time) - Date.now() * 1_000;
    this.ahead = Math.abs(ahead) > 2e6 ? ahead : 0;
    this.now = this.exactNow();
  }

  setZone(zone: Zone): void {
    this.zone = zone;
    keep("zone", zone);
  }

  setTheme(theme: Theme): void {
    // First the document: who reads its colours does so when the state changes.
    showTheme(theme);
    this.theme = theme;
    keep("theme", theme);
  }
}

function showTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export const settings = new Settings();
