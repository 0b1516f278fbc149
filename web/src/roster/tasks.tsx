/** A person's tasks, and what they answer. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clock } from "../format";
import { answer, REASONS, type Answer, type Reason, type Task } from "./api";
import { t, whyNot, word } from "./say";

interface Given { who: { roster: string; person: string }; offset_min: number; changed: () => void }

export function TaskList({ tasks, ...given }: Given & { tasks: Task[] }): JSX.Element {
  if (tasks.length === 0) return <p class="muted" data-testid="no-tasks">{t("no_tasks")}</p>;
  return <ul class="cards">{tasks.map((task) => <Card key={`${task.task}.${task.attempt}`} task={task} {...given} />)}</ul>;
}

function Card({ task, who, offset_min, changed }: Given & { task: Task }): JSX.Element {
  const [busy, wait] = useState(false);
  const [asking, ask] = useState(false);
  const [failure, fail] = useState<string | null>(null);
  const say = (what: Answer, reason?: Reason): void => {
    wait(true);
    answer(who.roster, who.person, task, what, reason).then(
      () => { wait(false); fail(null); changed(); },
      (error: unknown) => { wait(false); fail(whyNot(error)); changed(); },
    );
  };
  // Shown is told: the one who waits for an answer knows that it was seen.
  useEffect(() => {
    if (task.phase === "assigned") say("told");
  }, [task.phase]);
  const time = (ms: number): string => clock(ms, offset_min, false);
  const accepted = task.phase === "accepted";
  return (
    <li class={`card ${task.overdue ? "overdue" : ""}`} data-testid="task">
      <p class="head"><b>{word("kind", task.kind)}</b><span class={`phase ${task.phase}`}>{word("phase", task.phase)}</span></p>
      {task.point && <p>{task.point}</p>}
      {task.words && <p class="words">{task.words}</p>}
      <p class="muted num">
        {[t("raised", { time: time(task.raised_ms) }), task.reports > 1 && t("reports", { n: task.reports }), task.pictures.length > 0 && t("pictures", { n: task.pictures.length })]
          .filter(Boolean).join(" · ")}
      </p>
      <p class="num"><span class={task.overdue ? "late" : ""}>{accepted ? t("done_by", { time: time(task.done_by_ms) }) : t("accept_by", { time: time(task.accept_by_ms) })}{task.overdue && ` · ${t("late")}`}</span></p>
      {asking
        ? (
          <div class="why"><p>{t("why_not")}</p>
            {REASONS.map((r) => <button key={r} type="button" class="quiet" disabled={busy} onClick={() => say("decline", r)}>{word("reason", r)}</button>)}
            <button type="button" class="quiet" onClick={() => ask(false)}>{t("back")}</button>
          </div>
        )
        : (
          <div class="buttons">
            {accepted
              ? <button type="button" class="main" disabled={busy} data-testid="done" onClick={() => say("done")}>{t("done")}</button>
              : <button type="button" class="main" disabled={busy} data-testid="accept" onClick={() => say("accept")}>{t("accept")}</button>}
            <button type="button" class="second" disabled={busy} data-testid="decline" onClick={() => ask(true)}>{t("decline")}</button>
          </div>
        )}
      {failure && <p class="late" role="alert">{failure}</p>}
    </li>
  );
}
