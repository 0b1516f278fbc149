/** The engine's own pulse, small, at the foot. */
import type { JSX } from "preact";
import type { FigureKey } from "../api";
import { keyFigure } from "../format";
import { t } from "../i18n";
import { store } from "../store";

const ENGINE: FigureKey[] = ["events_s", "tick_p99_ms", "dead_letters"];

export function Footer(): JSX.Element {
  const { figures, junction_changes } = store.board;
  return (
    <footer>
      {ENGINE.map((key) => (
        <span key={key}>{t(`fig_${key}`)} <b class="num" data-testid={`figure-${key}`}>{keyFigure(key, figures)}</b> {t(`unit_${key}`)}</span>
      ))}
      <Counted n={junction_changes} />
    </footer>
  );
}

/** The words around the counter, with the bare number in an element of its own. */
function Counted({ n }: { n: number }): JSX.Element {
  const [before, after] = t("junction_changes", { n: "\u0000" }).split("\u0000");
  return <span>{before}<b class="num" data-testid="junction-changes">{n}</b>{after}</span>;
}
