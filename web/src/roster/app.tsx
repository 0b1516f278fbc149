/** The page of rosters: who I am, my tasks, a report. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { clock } from "../format";
import type { Lang } from "../lang";
import { usePolled } from "../use";
import { absent, cityPath, minePath, rosterPath, rostersPath, type Brief, type City, type Mine, type Person, type Roster } from "./api";
import { ReportForm } from "./report";
import { speech, t, whyNot, word } from "./say";
import { TaskList } from "./tasks";
import { claimOf, headers, token } from "./token";

/** Asked for again so often, ms. */
const EVERY_MS = 4_000;
/** What hardly changes, ms. */
const SELDOM_MS = 60_000;
/** Names that are shown at once. */
const SHOWN = 40;
/** Hours of an absence that a tap tells. */
const LEAVE_H = 4;

type Who = { roster: string; person: string };
const KEPT = "nanming.roster";

function remembered(): Who | null {
  const claim = token ? claimOf(token) : null;
  if (claim?.person) return { roster: claim.roster, person: claim.person };
  const query = new URLSearchParams(location.search);
  const [roster, person] = [query.get("roster"), query.get("person")];
  if (roster && person) return { roster, person };
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Who | null;
  } catch {
    return null;
  }
}

function remember(who: Who | null): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(who));
  } catch { /* storage may be forbidden: the page asks again then */ }
}

/** With a person's token nobody else can be chosen. */
const isOnesOwn = token !== null && claimOf(token)?.person != null;

export function App({ speak }: { speak: (lang: Lang) => void }): JSX.Element {
  const [who, set] = useState<Who | null>(remembered);
  const be = (next: Who | null): void => {
    remember(next);
    set(next);
  };
  return (
    <div class="roster">
      <header>
        <h1>{t("title")}</h1>
        {who && !isOnesOwn && <button type="button" class="quiet" data-testid="change" onClick={() => be(null)}>{t("change")}</button>}
        <button type="button" class="quiet" data-testid="lang" title={t("lang_label")} onClick={() => speak(speech.lang === "zh" ? "en" : "zh")}>{t("lang_switch")}</button>
      </header>
      {who ? <Desk key={`${who.roster}/${who.person}`} who={who} /> : <Choose be={be} />}
    </div>
  );
}

function Choose({ be }: { be: (who: Who) => void }): JSX.Element {
  const [roster, open] = useState<string | null>(null);
  const rosters = usePolled<{ rosters: Brief[] }>(rostersPath, SELDOM_MS, null, headers);
  if (roster !== null) return <ChoosePerson roster={roster} back={() => open(null)} be={(person) => be({ roster, person })} />;
  if (!rosters.value) return <p class="loading" role="status">{rosters.error ? t("failed", { why: whyNot(rosters.error) }) : t("loading")}</p>;
  return (
    <main>
      <h2>{t("choose_roster")}</h2>
      {rosters.value.rosters.length === 0 && <p class="muted">{t("no_roster")}</p>}
      <ul class="rows">
        {rosters.value.rosters.map((r) => (
          <li key={r.roster}>
            <button type="button" data-testid={`roster-${r.roster}`} onClick={() => open(r.roster)}>
              <b>{r.title}</b><small>{t("counts", { persons: r.persons, open: r.open })}</small>
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}

function ChoosePerson({ roster, back, be }: { roster: string; back: () => void; be: (person: string) => void }): JSX.Element {
  const [search, type] = useState("");
  const got = usePolled<Roster>(rosterPath(roster), SELDOM_MS, null, headers);
  const found = (got.value?.persons ?? []).filter((p) => p.person.includes(search.trim()));
  return (
    <main>
      <button type="button" class="quiet" onClick={back}>{t("back")}</button>
      <h2>{t("choose_person")}</h2>
      <input type="search" placeholder={t("search")} value={search} onInput={(e) => type(e.currentTarget.value)} data-testid="search" />
      {got.error !== null && <p class="error" role="alert">{t("failed", { why: whyNot(got.error) })}</p>}
      {got.value && found.length === 0 && <p class="muted">{t("none_found")}</p>}
      <ul class="rows">{found.slice(0, SHOWN).map((p) => <Row key={p.person} person={p} be={be} />)}</ul>
      {found.length > SHOWN && <p class="muted">{t("more", { n: found.length - SHOWN })}</p>}
    </main>
  );
}

function Row({ person: p, be }: { person: Person; be: (person: string) => void }): JSX.Element {
  return (
    <li>
      <button type="button" data-testid="person" onClick={() => be(p.person)}>
        <b>{p.person}</b><small>{word("role", p.role)} · {t("of_person", { points: p.points, tasks: p.tasks })}</small>
      </button>
    </li>
  );
}

const TABS = ["tasks", "report", "points"] as const;

function Desk({ who }: { who: Who }): JSX.Element {
  const [tab, choose] = useState<(typeof TABS)[number]>("tasks");
  const [stamp, again] = useState(0);
  const mine = usePolled<Mine>(minePath(who.roster, who.person), EVERY_MS, stamp, headers);
  const roster = usePolled<Roster>(rosterPath(who.roster), SELDOM_MS, null, headers);
  const city = usePolled<City>(cityPath, SELDOM_MS, null, headers);
  if (!mine.value || !city.value) return <p class="loading" role="status">{mine.error ? t("failed", { why: whyNot(mine.error) }) : t("loading")}</p>;
  const offset_min = city.value.utc_offset_min;
  const changed = (): void => again((n) => n + 1);
  return (
    <>
      <div class="me">
        <p><b>{mine.value.person}</b> <small>{mine.value.title} · {word("role", mine.value.role)}</small></p>
        <Leave who={who} mine={mine.value} offset_min={offset_min} changed={changed} />
      </div>
      {mine.error !== null && <p class="error" role="alert">{t("failed", { why: whyNot(mine.error) })}</p>}
      <nav>
        {TABS.map((name) => (
          <button key={name} type="button" aria-current={name === tab} data-testid={`tab-${name}`} onClick={() => choose(name)}>
            {t(`tab_${name}`)}{name === "tasks" && mine.value!.tasks.length > 0 && <i class="count">{mine.value!.tasks.length}</i>}
          </button>
        ))}
      </nav>
      <main>
        {tab === "tasks" && <TaskList who={who} tasks={mine.value.tasks} offset_min={offset_min} changed={changed} />}
        {tab === "report" && <ReportForm who={who} roster={roster.value} mine={mine.value} />}
        {tab === "points" && (mine.value.points.length === 0
          ? <p class="muted">{t("no_points")}</p>
          : <ul class="rows">{mine.value.points.map((p) => <li key={`${p.role}/${p.point}`} class="plain">{p.point}</li>)}</ul>)}
      </main>
    </>
  );
}

function Leave({ who, mine, offset_min, changed }: { who: Who; mine: Mine; offset_min: number; changed: () => void }): JSX.Element {
  const [failure, fail] = useState<string | null>(null);
  const say = (hours: number): void => void absent(who.roster, who.person, hours).then(
    () => { fail(null); changed(); }, (error: unknown) => fail(whyNot(error)));
  const away = mine.absent !== undefined && mine.absent.until_ms > mine.absent.from_ms;
  return (
    <p class="leave">
      {away && <small>{t("absent", { time: clock(mine.absent!.until_ms, offset_min, false) })}</small>}
      <button type="button" class="quiet" data-testid="leave" onClick={() => say(away ? 0 : LEAVE_H)}>{away ? t("return") : t("leave", { n: LEAVE_H })}</button>
      {failure && <small class="late" role="alert">{failure}</small>}
    </p>
  );
}
