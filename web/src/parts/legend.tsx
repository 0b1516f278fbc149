/** What the colours and shapes mean, and which layers are shown. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { INTERVALS, LEVELS, UNIT_BUSY, UNIT_FREE } from "../colours";
import { LEVEL_LETTERS } from "../format";
import { t } from "../i18n";
import { set, store, type LayerName } from "../store";

const LAYERS: LayerName[] = ["junctions", "units", "calls", "grids", "venues", "names"];

export function Layers(): JSX.Element {
  return (
    <fieldset class="layers">
      <legend class="hidden">{t("layers")}</legend>
      {LAYERS.map((name) => (
        <label key={name} class={store.layers[name] ? "on" : ""}>
          <input type="checkbox" data-testid={`layer-${name}`} checked={store.layers[name]} onChange={(e) => set({ layers: { ...store.layers, [name]: e.currentTarget.checked } })} />
          {t(`layer_${name}`)}
        </label>
      ))}
    </fieldset>
  );
}

export function Legend(): JSX.Element {
  const [open, setOpen] = useState(() => window.innerWidth > 1100 && window.innerHeight > 800);
  return (
    <section class="legend" aria-label={t("legend")}>
      <div class="ramp" aria-label={t("legend_los")}>
        <small>{t("legend_free")}</small>
        {LEVEL_LETTERS.map((letter, i) => <i key={letter} style={{ background: LEVELS[i as 0] }} class={i === 0 ? "pale" : ""}>{letter}</i>)}
        <small>{t("legend_jam")}</small>
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>{t("legend")} {open ? "▾" : "▸"}</button>
      </div>
      {open && (
        <ul>
          {(["legend_green", "legend_yellow", "legend_all_red"] as const).map((key, i) => <li key={key}><Mark shape="dot" colour={INTERVALS[i]!} />{t(key)}</li>)}
          <li><Mark shape="dot" colour="#aebcc8" />{t("legend_adaptive")}</li>
          <li><Mark shape="square" colour="#aebcc8" />{t("legend_bound")}</li>
          <li><Mark shape="ring" colour="#aebcc8" />{t("legend_plan")}</li>
          <li><Mark shape="tri" colour={UNIT_FREE} />{t("legend_unit_free")}</li>
          <li><Mark shape="tri" colour={UNIT_BUSY} />{t("legend_unit_busy")}</li>
          {store.layers.grids && <li><Mark shape="area" colour="#ff4f6d" />{t("legend_uncovered")}</li>}
        </ul>
      )}
    </section>
  );
}

function Mark({ shape, colour }: { shape: "dot" | "square" | "ring" | "tri" | "area"; colour: string }): JSX.Element {
  return (
    <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true" fill={colour} stroke="none">
      {shape === "dot" && <circle r="4" />}
      {shape === "square" && <rect x="-4" y="-4" width="8" height="8" />}
      {shape === "ring" && <circle r="3.4" fill="none" stroke={colour} stroke-width="1.8" />}
      {shape === "tri" && <path d="M0 -4.6L4.4 4H-4.4Z" />}
      {shape === "area" && <rect x="-5" y="-5" width="10" height="10" fill-opacity="0.2" stroke={colour} stroke-opacity="0.6" />}
    </svg>
  );
}
