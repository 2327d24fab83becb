/** The page's one live channel, so that the frame can show how it is. */
import { Channel } from "./channel.svelte";

class LiveState {
  channel: Channel | undefined = $state.raw();
}

export const live = new LiveState();

/** Opens a channel for as long as a component is shown. Call it while the component is made. */
export function follow(
  filter: { execution_id?: string; workflow_name?: string },
  onEvent?: (event: Record<string, unknown>) => void,
): Channel {
  const channel = new Channel(filter, onEvent);
  $effect(() => {
    live.channel = channel;
    return () => {
      channel.close();
      if (live.channel === channel) live.channel = undefined;
    };
  });
  return channel;
}
