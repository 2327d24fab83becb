/** What is known of the server itself: whether it wants a token, its clock, its version. */
import { ApiError, get, signIn } from "./api/client";
import type { ServerInfo } from "./api/types";
import { settings } from "./settings.svelte";

class Server {
  info: ServerInfo | undefined = $state.raw();
  needsToken = $state(false);

  async ask(): Promise<void> {
    try {
      this.info = await get("/api/server");
      settings.setServerTime(this.info.time);
      this.needsToken = false;
    } catch (error) {
      this.needsToken = error instanceof ApiError && error.status === 401;
    }
  }

  async signIn(token: string): Promise<void> {
    await signIn(token);
    await this.ask();
  }
}

export const server = new Server();
void server.ask();
