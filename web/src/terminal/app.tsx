/** The terminal's page: log in, see the task, answer it. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { City } from "../api";
import type { Lang } from "../lang";
import { usePolled } from "../use";
import { NOBODY, hear, say, status, type Duty, type Notice, type Said } from "./duty";
import { Link, type Login } from "./link";
import { LoginForm, keep } from "./login";
import { TerminalMap, type Streets } from "./map";
import { Places } from "./place";
import { speech, t, word } from "./say";
import { TaskCard } from "./task";

/** The unit reports so often, ms. */
const REPORT_MS = 10_000;
const SELDOM_MS = 3_600_000;

export function App({ speak, first }: { speak: (lang: Lang) => void; first: Login | null }): JSX.Element {
  const [login, enter] = useState(first);
  const [refused, refuse] = useState(false);
  const leave = (isRefused: boolean): void => {
    keep(null);
    refuse(isRefused);
    enter(null);
  };
  const start = (next: Login): void => {
    keep(next);
    refuse(false);
    enter(next);
  };
  return login === null
    ? <div class="terminal"><Head name="" speak={speak} /><LoginForm refused={refused} enter={start} /></div>
    : <Work key={JSON.stringify(login)} login={login} leave={leave} speak={speak} />;
}

/** Everything of one login: the link, the tasks, the place. */
function Work({ login, leave, speak }: { login: Login; leave: (refused: boolean) => void; speak: (lang: Lang) => void }): JSX.Element {
  const [, redraw] = useState(0);
  const [onDuty, setOnDuty] = useState(true);
  const duty = useRef<Duty>(NOBODY);
  const link = useRef<Link | null>(null);
  const places = useRef<Places | null>(null);
  const report = useRef<() => void>(() => undefined);
  const change = (next: Duty): void => {
    duty.current = next;
    redraw((n) => n + 1);
  };
  report.current = () => {
    const place = places.current?.now();
    if (place) link.current?.send({ type: "report", lon: place.at[0], lat: place.at[1], status: status(duty.current, onDuty) });
  };
  useEffect(() => {
    const made = new Link(login, () => duty.current.last, (frame) => {
      const before = duty.current;
      change(hear(before, frame));
      if (frame.type === "assignment") {
        if (!before.tasks.some((task) => task.assignment === frame.assignment)) buzz();
        // Told once it stands on the screen.
        requestAnimationFrame(() => made.send({ type: "seen", id: frame.id }));
      }
      if (frame.type === "ack_result") report.current();
    }, () => {
      if (made.state === "refused") return leave(true);
      if (made.state === "live") {
        duty.current.unconfirmed.forEach((said) => made.send({ type: "ack", ...said }));
        report.current();
      }
      redraw((n) => n + 1);
    });
    link.current = made;
    places.current = new Places(() => { report.current(); redraw((n) => n + 1); });
    const timer = window.setInterval(() => report.current(), REPORT_MS);
    return () => {
      made.end();
      places.current?.end();
      window.clearInterval(timer);
    };
  }, []);
  useEffect(() => report.current(), [onDuty]);
  const answer = (said: Said): void => {
    change(say(duty.current, said));
    link.current?.send({ type: "ack", ...said });
  };
  const { name, tasks, unconfirmed, notice } = duty.current;
  const state = link.current?.state ?? "connecting";
  const place = places.current?.now() ?? null;
  return (
    <div class="terminal">
      <Head name={name} speak={speak}>
        <button type="button" class={`duty ${onDuty ? "on" : ""}`} aria-pressed={onDuty} data-testid="duty" disabled={tasks.length > 0} onClick={() => setOnDuty(!onDuty)}>{t(onDuty ? "duty_on" : "duty_off")}</button>
      </Head>
      {state !== "live" && <p class="banner" role="status" data-testid="banner">{t(state === "lost" ? "link_lost" : "link_connecting")}</p>}
      <Map here={place?.at ?? null} tasks={tasks.map((task) => ({ at: [task.lon, task.lat], priority: task.priority }))} tap={(at) => places.current?.tapped(at)} />
      <main>
        <p class={`here ${place ? "" : "none"}`} data-testid="here">{t(place ? `here_${place.by}` : "here_none")}</p>
        {notice && <p class={`notice ${notice.kind === "refused" ? "bad" : ""}`} role="status" data-testid="notice">{noticeWords(notice)}</p>}
        {tasks.map((task) => <TaskCard key={task.assignment} task={task} sending={unconfirmed.some((said) => said.assignment === task.assignment)} live={state === "live"} answer={answer} />)}
        {tasks.length === 0 && <div class="idle" data-testid="idle"><b>{t("no_task")}</b><span>{t(onDuty ? "no_task_hint" : "off_hint")}</span></div>}
        <button type="button" class="quiet leave" data-testid="logout" onClick={() => leave(false)}>{t("logout")}</button>
      </main>
    </div>
  );
}

function Head({ name, speak, children }: { name: string; speak: (lang: Lang) => void; children?: JSX.Element }): JSX.Element {
  return (
    <header>
      <h1 data-testid="unit">{name || t("title")}</h1>
      {children}
      <button type="button" class="quiet" data-testid="lang" title={t("lang_label")} onClick={() => speak(speech.lang === "zh" ? "en" : "zh")}>{t("lang_switch")}</button>
    </header>
  );
}

/** Browsers let only those pages vibrate that somebody has touched. */
function buzz(): void {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 150, 300]);
}

function noticeWords(notice: Notice): string {
  if (notice.kind === "gone") return t("gone");
  if (notice.kind === "reminded") return t("reminded");
  return notice.kind === "withdrawn" ? word("withdrawn", notice.reason) : t("refused", { why: word("reason", notice.reason) });
}

function Map({ here, tasks, tap }: { here: [number, number] | null; tasks: { at: [number, number]; priority: string }[]; tap: (at: [number, number]) => void }): JSX.Element {
  const city = usePolled<City>("./api/city", SELDOM_MS);
  const streets = usePolled<Streets>("./api/links.geojson", SELDOM_MS);
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<TerminalMap | null>(null);
  useEffect(() => {
    if (box.current && city.value && streets.value && !map.current) map.current = new TerminalMap(box.current, city.value.bounds, streets.value);
  }, [city.value, streets.value]);
  useEffect(() => {
    if (map.current) map.current.tapped = tap;
    map.current?.show({ here, tasks });
  });
  return (
    <div class="stage">
      <div class="map" ref={box} data-testid="map" aria-label={t("map")} />
      <button type="button" class="whole" aria-label={t("all")} onClick={() => map.current?.fit(true)}>⤢</button>
    </div>
  );
}
