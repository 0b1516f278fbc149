/** A task, and the buttons that answer it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Said, Task } from "./duty";
import { t, word } from "./say";

const WHY = ["engaged", "vehicle", "far", "unable"] as const;

export function TaskCard({ task, sending, live, answer }: { task: Task; sending: boolean; live: boolean; answer: (said: Said) => void }): JSX.Element {
  const [asks, ask] = useState<"why" | "sure" | null>(null);
  const say = (said: Omit<Said, "assignment">): void => {
    ask(null);
    answer({ assignment: task.assignment, ...said });
  };
  const time = new Date(task.time_ms).toTimeString().slice(0, 5);
  return (
    <section class={`task p${task.priority}`} data-testid="task" data-phase={task.phase}>
      <div class="what">
        <b class="priority">{t("priority", { p: task.priority })}</b>
        <b>{word("category", task.category)}</b>
        <span class="phase">{word("phase", task.phase)}</span>
      </div>
      <p class="words">{task.words || t("no_words")}</p>
      <p class="more">{t("call", { n: task.call, time })}{task.phase !== "arrived" && <> · {t("eta", { min: Math.max(1, Math.round(task.eta_s / 60)) })}</>}</p>
      {sending && <p class="sending" role="status" data-testid="sending">{t(live ? "sending" : "will_send")}</p>}
      {asks === "why" && <Choice title={t("why")} back={() => ask(null)}>
        {WHY.map((why) => <button key={why} type="button" class="big" data-testid={`why-${why}`} onClick={() => say({ answer: "decline", why })}>{t(`why_${why}`)}</button>)}
      </Choice>}
      {asks === "sure" && <Choice title={t("sure_close")} back={() => ask(null)}>
        {[<button key="yes" type="button" class="big go" data-testid="sure" onClick={() => say({ answer: "closed" })}>{t("closed")}</button>]}
      </Choice>}
      {asks === null && <div class="buttons">
        {task.phase === "assigned" && <button type="button" class="big go" data-testid="accept" onClick={() => say({ answer: "accept" })}>{t("accept")}</button>}
        {task.phase === "accepted" && <button type="button" class="big go" data-testid="arrived" onClick={() => say({ answer: "arrived" })}>{t("arrived")}</button>}
        {task.phase === "arrived" && <button type="button" class="big go" data-testid="close" onClick={() => ask("sure")}>{t("closed")}</button>}
        {task.phase !== "arrived" && <button type="button" class="big no" data-testid="decline" onClick={() => ask("why")}>{t("decline")}</button>}
      </div>}
    </section>
  );
}

function Choice({ title, back, children }: { title: string; back: () => void; children: JSX.Element[] }): JSX.Element {
  return (
    <div class="choice">
      <b>{title}</b>
      {children}
      <button type="button" class="big no" data-testid="back" onClick={back}>{t("back")}</button>
    </div>
  );
}
