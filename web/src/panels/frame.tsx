/** The frame of every panel: title, close, Escape, and focus on opening. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";

interface FrameProps { kind: string; title: string; mark?: ComponentChildren; onClose: () => void; children: ComponentChildren; name: string }

export function Frame({ kind, title, mark, onClose, children, name }: FrameProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus({ preventScroll: true });
    return () => void (before instanceof HTMLElement && before.isConnected && before.focus({ preventScroll: true }));
  }, [name]);
  return (
    <aside class="panel" data-testid="panel" data-panel={name} aria-labelledby="panel-title" onKeyDown={(e) => e.key === "Escape" && onClose()}>
      <header>
        {mark}
        <div class="grow">
          <p class="kicker">{kind}</p>
          <h2 id="panel-title" data-testid="panel-title" tabIndex={-1} ref={heading}>{title}</h2>
        </div>
        <button type="button" class="icon" aria-label={t("close")} title={t("close")} onClick={onClose}>
          <svg width="12" height="12" viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" aria-hidden="true"><path d="M1 1L11 11M11 1L1 11" /></svg>
        </button>
      </header>
      <div class="body">{children}</div>
    </aside>
  );
}

/** Label and value, side by side. */
export function Fact({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
