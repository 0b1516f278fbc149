// What happens in the mock city each second: traffic breathes, signals change, calls come and are served.
import { gridAt, random } from "./city.mjs";

const CATEGORIES = ["crime", "disturbance", "collision", "help", "other"];
const WORDS = ["两车追尾，占用一条车道", "路边有人争执", "老人走失，穿蓝色外套", "店铺门锁被撬", "树枝倒伏在非机动车道", null];

export function makeLife(city, seed = 7) {
  const rnd = random(seed);
  const start = Date.now();
  const incidents = Array.from({ length: 14 }, () => ({ x: (rnd() - 0.5) * 11, y: (rnd() - 0.5) * 9, r: 0.5 + rnd() * 0.9, phase: rnd() * 6.3, w: 0.4 + rnd() * 0.5 }));
  const jitter = city.links.map(() => (rnd() - 0.5) * 0.3);
  const links = city.links.map((l) => ({ id: l.id, level: 0, speed: l.free_kmh, flow: 0, queue: 0 }));
  const junctions = city.junctions.map((j) => ({ id: j.id, stage: Math.floor(rnd() * j.stages.length), interval: 0, reason: rnd() < 0.06 ? "plan" : "pressure", left: Math.floor(rnd() * 30) + 3, since: start - Math.floor(rnd() * 20000), wanted: 0, scores: j.stages.map(() => rnd() * 12), plan: rnd() < 0.06 }));
  const calls = new Map(), past = new Map(), dirty = { calls: new Set(), units: new Set(), closed: [] };
  let nextCall = 1, ownCall = Math.floor(start / 86_400_000) * 86_400_000, changes = 0, acks = []; // its own calls have long numbers, as the simulator's

  /** Load of a link some minutes from now, 0 free .. 1 jammed. */
  const load = (l, min, now) => {
    const x = (l.from.x + l.to.x) / 2, y = (l.from.y + l.to.y) / 2, s = (now - start) / 1000 + min * 60;
    let v = 0.3 * Math.exp(-((x * x + y * y) / 9)) + 0.2 * Math.exp(-(((x + 5.5) ** 2 + (y - 3) ** 2) / 4)) + jitter[l.id] * 0.7 + 0.06 * Math.sin(s / 47 + l.id) + 0.04 * Math.sin(s / 900 + x);
    for (const i of incidents) v += i.w * Math.max(0, Math.sin(s / 1500 + i.phase)) * Math.exp(-(((x - i.x) ** 2 + (y - i.y) ** 2) / (i.r * i.r)));
    return Math.max(0.02, Math.min(0.98, v + (l.lanes >= 3 ? 0.05 : 0)));
  };
  const level = (v) => (v < 0.2 ? 0 : v < 0.33 ? 1 : v < 0.46 ? 2 : v < 0.6 ? 3 : v < 0.76 ? 4 : 5);
  const speed = (l, v) => +(l.free_kmh * (1 - 0.9 * v)).toFixed(1);

  function traffic(now) {
    for (const l of city.links) {
      const v = load(l, 0, now), s = links[l.id];
      Object.assign(s, { level: level(v), speed: speed(l, v), flow: Math.round(l.lanes * 1500 * v * (1.35 - v)), queue: +(v * v * 22).toFixed(1) });
    }
  }

  function signals(now) {
    const changed = [];
    for (const s of junctions) {
      const j = city.junctions[s.id];
      s.scores = s.scores.map((x, i) => +Math.max(-2, Math.min(24, x + (i === s.stage && s.interval === 0 ? -0.9 : 0.3 - (x > 12 ? 0.22 : 0)) + (rnd() - 0.5) * 0.8)).toFixed(2));
      const best = s.scores.indexOf(Math.max(...s.scores));
      s.wanted = s.reason === "pressure" ? best : s.stage;
      if (--s.left > 0) continue;
      if (s.interval === 0) {
        s.lost = j.stages[s.stage].lights;
        s.stage = s.wanted = best === s.stage ? (s.stage + 1) % j.stages.length : best;
        s.interval = 1; s.left = 3; changes++;
        s.reason = s.plan ? "plan" : rnd() < 0.05 ? "max_red" : rnd() < 0.05 ? "max_green" : "pressure";
      } else if (s.interval === 1) { s.interval = 2; s.left = 2; }
      else { s.interval = 0; s.left = 14 + Math.floor(rnd() * 28); s.since = now; if (s.reason === "pressure" && rnd() < 0.12) s.reason = ["min_green", "idle", "not_worth"][Math.floor(rnd() * 3)]; }
      if (s.interval !== 0) s.since = now;
      changed.push(s.id);
    }
    return changed;
  }

  function lamps(s) {
    const to = city.junctions[s.id].stages[s.stage].lights;
    if (s.interval === 0) return to;
    return [...(s.lost ?? to)].map((c, i) => (c !== "r" && to[i] === "r" ? (s.interval === 1 ? "y" : "r") : c === "r" ? "r" : c)).join("");
  }

  function open(wish, now) {
    const id = wish.id ?? nextCall++;
    const call = { call: id, phase: "waiting", priority: wish.priority, category: wish.category ?? "other", lon: wish.lon, lat: wish.lat, grid: gridAt(city.grids, wish.lon, wish.lat), opened_ms: now, words: wish.words ?? null, channel: wish.channel ?? "phone", assignment: null, unit: null, eta_s: null, reason: null, candidates: [], history: [{ time_ms: now, phase: "waiting" }], left: 1 + Math.floor(rnd() * 3) };
    calls.set(id, call); dirty.calls.add(id);
    return call;
  }

  function step(call, now) {
    const u = call.unit === null ? null : city.units[call.unit.id];
    const reach = (phase) => { call.phase = phase; call.history.push({ time_ms: now, phase, ...(call.unit ? { unit: call.unit, assignment: call.assignment } : {}) }); dirty.calls.add(call.call); };
    if (u && call.phase === "accepted") {
      const share = 1 / Math.max(call.left, 1);
      u.lon += (call.lon - u.lon) * share; u.lat += (call.lat - u.lat) * share;
      call.eta_s = call.left * 2; dirty.units.add(u.id); dirty.calls.add(call.call);
    }
    if (--call.left > 0) return;
    if (call.phase === "waiting") {
      const near = city.units.filter((x) => x.assignment === null && x.status !== "off_duty").map((x) => ({ x, eta_s: Math.round(Math.hypot((x.lon - call.lon) * 99.5, (x.lat - call.lat) * 110.8) * 105 + 12) })).sort((a, b) => a.eta_s - b.eta_s).slice(0, 5);
      const chosen = near[rnd() < 0.8 ? 0 : 1];
      Object.assign(call, { candidates: near.map((c) => ({ unit: c.x.id, name: c.x.name, eta_s: c.eta_s })), unit: { id: chosen.x.id, name: chosen.x.name }, eta_s: chosen.eta_s, reason: chosen === near[0] ? "nearest" : "least_total", assignment: `${call.call}.1`, left: 2 + Math.floor(rnd() * 8) });
      Object.assign(chosen.x, { assignment: call.assignment, status: "turned_out" }); dirty.units.add(chosen.x.id);
      reach("assigned");
    } else if (call.phase === "assigned") { acks = [...acks.slice(-50), (now - call.history.at(-1).time_ms) / 1000]; u.status = "on_the_way"; dirty.units.add(u.id); call.left = Math.max(6, Math.round(call.eta_s / 2)); reach("accepted"); }
    else if (call.phase === "accepted") { u.status = "on_scene"; dirty.units.add(u.id); call.left = 60 + Math.floor(rnd() * 160); reach("arrived"); }
    else { reach("closed"); finish(call, u); }
  }

  function change(call, { priority, category, lon, lat }) {
    Object.assign(call, { priority: priority ?? call.priority, category: category ?? call.category, lon: lon ?? call.lon, lat: lat ?? call.lat });
    call.grid = gridAt(city.grids, call.lon, call.lat);
    dirty.calls.add(call.call);
    return call;
  }

  function cancel(call, now) {
    call.phase = "cancelled";
    call.history.push({ time_ms: now, phase: "cancelled" });
    finish(call, call.unit === null ? null : city.units[call.unit.id]);
  }

  function finish(call, u) {
    if (u) { Object.assign(u, { assignment: null, status: "returning" }); dirty.units.add(u.id); }
    calls.delete(call.call); past.set(call.call, call); dirty.closed.push(call.call);
  }

  function tick(now) {
    traffic(now);
    const changed = signals(now);
    if (rnd() < 0.16) {
      const j = city.junctions[Math.floor(rnd() ** 1.4 * city.junctions.length)];
      open({ id: ownCall++, priority: rnd() < 0.14 ? "A" : rnd() < 0.5 ? "B" : "C", category: CATEGORIES[Math.floor(rnd() * 5)], lon: j.at[0] + (rnd() - 0.5) * 0.006, lat: j.at[1] + (rnd() - 0.5) * 0.006, words: WORDS[Math.floor(rnd() * WORDS.length)] }, now);
    }
    for (const call of [...calls.values()]) step(call, now);
    for (let i = 0; i < 40; i++) {
      const u = city.units[Math.floor(rnd() * city.units.length)];
      if (u.status === "off_duty" || u.assignment) continue;
      u.lon += (rnd() - 0.5) * 0.0012; u.lat += (rnd() - 0.5) * 0.0012; dirty.units.add(u.id);
    }
    return changed;
  }

  let ripple = 0;
  const wave = (period) => Math.sin((ripple += 1) / period) + (rnd() - 0.5) * 0.4;
  const figures = () => ({
    vehicles_h: 12140000 + Math.round(wave(60) * 220000), mean_speed_kmh: +(links.reduce((a, l) => a + l.speed, 0) / links.length).toFixed(1), congested_links: links.filter((l) => l.level >= 4).length,
    open_calls: calls.size, waiting_calls: [...calls.values()].filter((c) => c.phase === "waiting").length, available_units: city.units.filter((u) => !u.assignment && u.status !== "off_duty").length,
    ack_p50_s: acks.length ? +[...acks].sort((a, b) => a - b)[acks.length >> 1].toFixed(1) : 4.6, tick_p99_ms: +(3 + wave(31)).toFixed(1), events_s: 35600 + Math.round(wave(23) * 900), dead_letters: 12, signal_changes_min: 690 + Math.round(wave(47) * 40),
  });
  const forecast = (l, lead, now) => {
    const v = load(l, lead, now) * 0.94 + 0.03, s = speed(l, v), half = 2 + Math.sqrt(lead) * 1.15;
    return { lead_min: lead, level: level(v), speed_kmh: s, low_kmh: +Math.max(2, s - half * 1.2).toFixed(1), high_kmh: +Math.min(l.free_kmh * 1.05, s + half).toFixed(1), flow_veh_h: Math.round(l.lanes * 1500 * v * (1.35 - v)), congested: +(1 / (1 + Math.exp(-(v - 0.6) * 14))).toFixed(3), onset: v > 0.62 };
  };
  /** Better near than far; 60 min ahead too few have come true. */
  const record = (lead) => {
    const scored = lead > 55 ? 640 : 412_000 - lead * 900, told = 61 - lead, hits = Math.round(told * 0.72), came = hits + 8 + lead;
    return { lead_min: lead, scored, mae: +(0.028 + lead * 0.0011).toFixed(4), coverage80: +(0.81 - lead * 0.0006).toFixed(4), coverage95: 0.951, told, hits, came, by_profile: lead * 3 };
  };
  const onsets = (now) => city.links.flatMap((l) => {
    if (links[l.id].level >= 4) return [];
    const lead = [5, 10, 15, 20, 30, 45, 60].find((m) => forecast(l, m, now).congested > 0.42);
    return lead ? [[l.id, lead]] : [];
  }).slice(0, 120);
  /** People at venues: an event that fills every fifth of them and empties again, the others as usual. */
  const crowds = (now) => city.venues.map((v) => {
    const s = (now - start) / 1000, usual = Math.round(v.capacity * 0.12), wave = Math.sin(s / 400 + v.id);
    const surge = v.id % 5 === 1, people = Math.round(usual * (1 + 0.1 * wave) + (surge ? v.capacity * (0.62 + 0.2 * wave) : 0));
    const outflow = Array.from({ length: 12 }, (_, n) => Math.round((surge ? (people - usual) * 0.16 * Math.exp(-((n - 4) ** 2) / 8) : 0) + usual * 0.02));
    const ahead = outflow.map((_, n) => { const then = Math.max(people - outflow.slice(0, n + 1).reduce((a, b) => a + b, 0), 0); return [(n + 1) * 5, then, Math.round(then * 0.9), Math.round(then * 1.1)]; });
    return [v.id, people, usual, +(people / v.capacity).toFixed(3), surge ? 1 : 0, outflow, ahead];
  });
  return { crowds, links, junctions, calls, past, dirty, tick, open, change, cancel, lamps, figures, forecast, record, onsets };
}
