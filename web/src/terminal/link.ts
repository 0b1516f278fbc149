/** The link to the engine: logs in, comes back after it was lost, and says whether it lives. Knows no tasks. */
import type { Frame } from "./duty";

export type LinkState = "connecting" | "live" | "lost" | "refused";
/** By a token, or, where the engine asks for none, by a call sign. */
export type Login = { token: string } | { unit: string };

const PING_MS = 10_000;
/** Whoever says nothing for so long is gone. */
const SILENT_MS = 25_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
const NOT_ALLOWED = 1008;

export class Link {
  private socket: WebSocket | null = null;
  private heard_at = 0;
  private tries = 0;
  private timer = 0;
  private readonly beat: number;
  private readonly awake = (): void => void (document.hidden || this.state === "live" || this.connect());
  state: LinkState = "connecting";

  /** `after`: the ID of the last frame; `hear` takes frames, and `changed` is called when the link lives or is lost. */
  constructor(
    private readonly login: Login, private readonly after: () => number, private readonly hear: (frame: Frame) => void,
    private readonly changed: () => void,
  ) {
    this.beat = window.setInterval(() => this.look(), PING_MS);
    window.addEventListener("online", this.awake);
    document.addEventListener("visibilitychange", this.awake);
    this.connect();
  }

  /** False: it was not sent, for the link is lost. */
  send(frame: object): boolean {
    if (this.state !== "live" || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  end(): void {
    window.clearInterval(this.beat);
    window.clearTimeout(this.timer);
    window.removeEventListener("online", this.awake);
    document.removeEventListener("visibilitychange", this.awake);
    this.drop();
  }

  private connect(): void {
    if (this.state === "refused") return;
    this.drop();
    window.clearTimeout(this.timer);
    const url = new URL("./ws/terminal", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    url.search = "unit" in this.login ? new URLSearchParams({ unit: this.login.unit, after: String(this.after()) }).toString() : "";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      if ("token" in this.login) socket.send(JSON.stringify({ type: "login", token: this.login.token, after: this.after() }));
    };
    socket.onmessage = (event) => this.take(JSON.parse(String(event.data)) as Frame);
    socket.onclose = (event) => this.lost(event.code);
  }

  private take(frame: Frame): void {
    this.heard_at = Date.now();
    this.hear(frame);
    if (frame.type === "current") {
      this.tries = 0;
      this.become("live");
    }
  }

  private lost(code: number): void {
    this.socket = null;
    if (code === NOT_ALLOWED) return this.become("refused");
    this.become("lost");
    this.timer = window.setTimeout(() => this.connect(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
  }

  /** A phone that sleeps or leaves the network is told nothing of it. */
  private look(): void {
    if (this.state === "live" && Date.now() - this.heard_at > SILENT_MS) {
      this.drop();
      this.lost(0);
    } else this.send({ type: "ping" });
  }

  private drop(): void {
    if (!this.socket) return;
    this.socket.onclose = this.socket.onmessage = this.socket.onopen = null;
    this.socket.close();
    this.socket = null;
  }

  private become(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.changed();
  }
}
