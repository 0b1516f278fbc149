/** The event stream and the state of its connection. Knows nothing about what the messages mean. */
import type { StreamMessage } from "./api";

export type Connection =
  | { state: "connecting"; since_ms: number }
  | { state: "live"; since_ms: number }
  | { state: "silent"; since_ms: number }
  | { state: "reconnecting"; since_ms: number };

/** Without a message for this long the data count as stale. */
const SILENT_MS = 8_000;
/** Without a message for this long the connection is given up and made anew. */
const GIVE_UP_MS = 40_000;

export interface Listener {
  message(message: StreamMessage, kind: "snapshot" | "delta"): void;
  connection(connection: Connection): void;
  /** The server refused; it is asked again later. */
  refused(): void;
}

/** Opens the stream and keeps it open until the returned function is called. */
export function openStream(url: string, listener: Listener): () => void {
  let source: EventSource | null = null;
  let heard = Date.now();
  let delay_ms = 1_000;
  let retry: number | undefined;
  let now: Connection = { state: "connecting", since_ms: heard };

  const become = (state: Connection["state"]): void => {
    if (now.state === state) return;
    // What went before "reconnecting" is silence of the same cause: keep its beginning.
    const since_ms = state === "live" ? Date.now() : Math.max(heard, 0);
    now = { state, since_ms };
    listener.connection(now);
  };
  const take = (kind: "snapshot" | "delta") => (event: MessageEvent<string>): void => {
    heard = Date.now();
    delay_ms = 1_000;
    listener.message(JSON.parse(event.data) as StreamMessage, kind);
    become("live");
  };
  const open = (): void => {
    source?.close();
    source = new EventSource(url);
    source.addEventListener("snapshot", take("snapshot"));
    source.addEventListener("delta", take("delta"));
    source.onerror = () => {
      become("reconnecting");
      // The browser tries again by itself (with Last-Event-ID) unless the server refused; then we must.
      if (source?.readyState !== EventSource.CLOSED) return;
      listener.refused();
      later();
    };
  };
  const later = (): void => {
    window.clearTimeout(retry);
    retry = window.setTimeout(open, delay_ms);
    delay_ms = Math.min(delay_ms * 2, 15_000);
  };
  const watch = window.setInterval(() => {
    const quiet_ms = Date.now() - heard;
    if (quiet_ms > GIVE_UP_MS) {
      heard = Date.now() - SILENT_MS;
      become("reconnecting");
      open();
    } else if (quiet_ms > SILENT_MS && now.state === "live") become("silent");
  }, 1_000);

  open();
  return () => {
    window.clearInterval(watch);
    window.clearTimeout(retry);
    source?.close();
  };
}
