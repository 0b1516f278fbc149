/** Something is reported: what, where, in words, with a picture. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { report, type Mine, type Roster } from "./api";
import { t, whyNot, word } from "./say";

/** A place is waited for so long, ms. */
const PLACE_MS = 10_000;

export function ReportForm({ who, roster, mine }: { who: { roster: string; person: string }; roster: Roster | null; mine: Mine }): JSX.Element {
  const [kind, ofKind] = useState("");
  const [point, at] = useState(mine.points[0]?.point ?? "");
  const [here, place] = useState<[lon: number, lat: number] | null>(null);
  const [words, write] = useState("");
  const [picture, show] = useState("");
  const [busy, wait] = useState(false);
  const [said, tell] = useState<{ good: boolean; text: string } | null>(null);
  const locate = (): void => {
    const failed = (): void => tell({ good: false, text: t("no_place") });
    if (!("geolocation" in navigator)) return failed();
    navigator.geolocation.getCurrentPosition((p) => { place([p.coords.longitude, p.coords.latitude]); at(""); tell(null); }, failed, { timeout: PLACE_MS });
  };
  const chosen = kind || roster?.kinds.at(-1) || "";
  const send = (event: Event): void => {
    event.preventDefault();
    wait(true);
    const where = point ? { point } : { lon: here![0], lat: here![1] };
    report(who.roster, { kind: chosen, ...where, words, pictures: picture ? [picture] : [], caller: who.person, channel: "phone_page" }).then(
      ({ task }) => { wait(false); write(""); show(""); tell({ good: true, text: t("sent", { task }) }); },
      (error: unknown) => { wait(false); tell({ good: false, text: whyNot(error) }); },
    );
  };
  return (
    <form onSubmit={send}>
      <label>{t("kind")}
        <select value={chosen} onChange={(e) => ofKind(e.currentTarget.value)} data-testid="kind">
          {(roster?.kinds ?? []).map((k) => <option key={k} value={k}>{word("kind", k)}</option>)}
        </select>
      </label>
      <p>{t("where")}</p>
      <button type="button" class={`second ${here && !point ? "chosen" : ""}`} onClick={locate}>{t("here")}{here && !point ? ` ${here[0].toFixed(4)}, ${here[1].toFixed(4)}` : ""}</button>
      <label>{t("point")}
        <input list="points" value={point} onInput={(e) => at(e.currentTarget.value)} data-testid="point" />
        <datalist id="points">{(mine.points.length > 0 ? mine.points.map((p) => p.point) : (roster?.point_names ?? []).slice(0, 2000)).map((p) => <option key={p} value={p} />)}</datalist>
      </label>
      <label>{t("words")}<textarea rows={3} maxLength={1000} value={words} onInput={(e) => write(e.currentTarget.value)} data-testid="words" /></label>
      <label>{t("picture")}<input value={picture} maxLength={150} onInput={(e) => show(e.currentTarget.value)} /></label>
      <button type="submit" class="main" disabled={busy || !chosen || !(point || here)} data-testid="send">{t("send")}</button>
      {said && <p class={said.good ? "good" : "error"} role="status">{said.text}</p>}
    </form>
  );
}
