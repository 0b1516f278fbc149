/** Ties the stream to the store: folds messages in, fetches forecasts, announces urgent calls. */
import { ask, type Forecast } from "./api";
import { shortNumber } from "./format";
import { t, word } from "./i18n";
import { apply } from "./state";
import { set, store, subscribe } from "./store";
import { openStream } from "./stream";

/** When the last message came, by the page's clock. */
export const heard = { at_ms: 0 };

export function goLive(): () => void {
  return openStream("./api/events", {
    message(message, kind) {
      heard.at_ms = Date.now();
      const { raised } = apply(store.board, message, kind);
      const urgent = raised.filter((c) => c.priority === "A").at(-1);
      set({
        version: store.version + 1,
        ...(urgent ? { announcement: t("new_a_call", { category: word("category", urgent.category), id: shortNumber(urgent.call) }) } : {}),
      });
    },
    connection: (connection) => set({ connection }),
    // A stream does not say why it was refused: what is asked the plain way does, and tells `door`.
    refused: () => void ask("./api/cover").catch(() => undefined),
  });
}

const REFRESH_MS = 20_000;

/** Keeps the forecast for the chosen lead time at hand. */
export function followForecast(): void {
  let lead = 0;
  let asked_ms = 0;
  const fetchIt = async (): Promise<void> => {
    asked_ms = Date.now();
    const wanted = lead;
    try {
      const facts = await ask<Forecast>(`./api/forecast?lead=${wanted}`);
      if (wanted === lead) set({ forecast: { facts, byLink: new Map(facts.links.map((row) => [row[0], row])) }, forecastFailed: false });
    } catch {
      if (wanted === lead) set({ forecastFailed: true });
    }
  };
  subscribe(() => {
    const changed = store.lead_min !== lead;
    lead = store.lead_min;
    if (lead > 0 && (changed || Date.now() - asked_ms > REFRESH_MS)) void fetchIt();
  });
}
