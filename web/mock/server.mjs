// A mock of the server's API (docs/api.md) over a made-up city, for working on the page without the engine.
// node mock/server.mjs [port]; serves dist/ under the same content security policy as the engine.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { gridAt, makeCity } from "./city.mjs";
import { makeLife } from "./life.mjs";

const PORT = Number(process.argv[2] ?? 8080);
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };
const LEADS = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];

const city = makeCity();
const life = makeLife(city);
const history = {};
for (let s = 900; s > 0; s--) { // a quarter of an hour before anyone looks
  const now = Date.now() - s * 1000;
  life.tick(now);
  if (s % 10 === 0) remember(now);
}

function remember(now) {
  const f = { time_ms: now, ...life.figures() };
  for (const key of Object.keys(f)) history[key] = [...(history[key] ?? []).slice(-89), f[key]];
}

const clients = new Set();
let seq = 0;
const link = (l) => [l.id, l.level, l.speed, l.flow, l.queue];
const junction = (j) => [j.id, j.stage, j.interval, j.reason];
const unit = (u) => [u.id, +u.lon.toFixed(6), +u.lat.toFixed(6), u.status, u.assignment];
const row = ({ call, phase, priority, category, lon, lat, opened_ms, unit: u, assignment, eta_s }) => ({ call, phase, priority, category, lon, lat, opened_ms, ...(u ? { unit: u.id, assignment, eta_s } : {}) });
const frame = (event, body) => `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(body)}\n\n`;
const snapshot = () => ({ time_ms: Date.now(), links: life.links.map(link), junctions: life.junctions.map(junction), units: city.units.map(unit), calls: [...life.calls.values()].map(row), closed: [], onsets: life.onsets(Date.now()), crowds: life.crowds(Date.now()), figures: life.figures(), history });

setInterval(() => {
  const now = Date.now();
  const before = life.links.map((l) => `${l.level}${l.speed}`);
  const changed = life.tick(now);
  seq++;
  const { dirty } = life;
  if (seq % 10 === 0) remember(now);
  const delta = {
    time_ms: now, links: life.links.filter((l, i) => `${l.level}${l.speed}` !== before[i]).map(link), junctions: changed.map((id) => junction(life.junctions[id])),
    units: [...dirty.units].map((id) => unit(city.units[id])), calls: [...dirty.calls].filter((id) => life.calls.has(id)).map((id) => row(life.calls.get(id))), closed: dirty.closed, figures: life.figures(), ...(seq % 10 === 0 ? { onsets: life.onsets(now), crowds: life.crowds(now) } : {}),
  };
  dirty.units.clear(); dirty.calls.clear(); dirty.closed = [];
  for (const c of clients) c.write(frame("delta", delta));
}, 1000);

/** Forecasts are made every five minutes. */
const made = () => Date.now() - (Date.now() % 300_000);
const features = (list, geometry, properties) => ({ type: "FeatureCollection", features: list.map((x) => ({ type: "Feature", geometry: geometry(x), properties: properties(x) })) });
const point = (x) => ({ type: "Point", coordinates: x.at });
const NAMES = ["green", "yellow", "all_red"];

const gets = {
  "/healthz": () => ({ ok: true, tick: Date.now(), lag_ms: 2 }),
  "/api/city": () => ({ name: "guiyang", bounds: city.bounds, utc_offset_min: 480, counts: { junctions: city.junctions.length, links: city.links.length, cameras: 105000, grids: city.grids.length, units: city.units.length }, districts: city.districts, lead_min: LEADS, units: city.units.map(({ id, name, grid }) => ({ id, name, grid })) }),
  "/api/links.geojson": () => features(city.links, (l) => ({ type: "LineString", coordinates: l.points }), ({ id, name, road, lanes, length_m, free_kmh, district }) => ({ id, name, road, lanes, length_m, free_kmh, district })),
  "/api/junctions.geojson": () => features(city.junctions, point, ({ id, name, district, stages }) => ({ id, name, district, stages: stages.map((s) => s.name) })),
  "/api/grids.geojson": () => features(city.grids, ({ sw, ne }) => ({ type: "Polygon", coordinates: [[sw, [ne[0], sw[1]], ne, [sw[0], ne[1]], sw]] }), ({ id, name, district }) => ({ id, name, district })),
  "/api/venues.geojson": () => features(city.venues, point, ({ id, name, capacity }) => ({ id, name, capacity })),
  "/api/links/:id": (id) => city.links[id] && { ...life.links[id], made_ms: made(), forecast: LEADS.map((m) => life.forecast(city.links[id], m, Date.now())), record: LEADS.map(life.record) },
  "/api/junctions/:id": (id) => {
    const [j, s] = [city.junctions[id], life.junctions[id]];
    return j && { id, name: j.name, stage: s.stage, wanted: s.wanted, interval: NAMES[s.interval], since_ms: s.since, lamps: life.lamps(s), reason: s.reason, scores: s.scores, stages: j.stages, heads: j.heads };
  },
  "/calls/:id": (id) => {
    const c = life.calls.get(id) ?? life.past.get(id);
    if (!c) return undefined;
    const { left: _, ...said } = c;
    return said;
  },
};

function refuse(res, status, error, detail) {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error, detail }));
}
function answer(res, body, status = 200) {
  if (body === undefined) return refuse(res, 404, "not_found", "There is nothing of this number.");
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** POST: a new call; PATCH: other priority, category or place for `known`. */
function take(req, res, known) {
  let text = "";
  req.on("data", (chunk) => (text += chunk)).on("end", () => {
    let said;
    try { said = JSON.parse(text); } catch { return refuse(res, 400, "malformed", "Send a JSON object."); }
    const wish = { ...known, ...said };
    if (!["A", "B", "C"].includes(wish.priority)) return refuse(res, 400, "malformed", "priority is A, B or C.");
    if (!(Math.abs(wish.lon) <= 180 && Math.abs(wish.lat) <= 90)) return refuse(res, 422, "out_of_range", "lon is -180..180, lat is -90..90.");
    if (gridAt(city.grids, wish.lon, wish.lat) === undefined) return refuse(res, 422, "outside_city", `Bounds: ${city.bounds.join(", ")}.`);
    const call = known ? life.change(known, said) : life.open(wish, Date.now());
    answer(res, { call: call.call, status: known ? "updated" : "accepted", grid: call.grid, tick: Date.now() }, known ? 200 : 201);
  });
}

/** PATCH and DELETE of an open call. */
function act(req, res, id) {
  const call = life.calls.get(id);
  if (!call) return life.past.has(id) ? refuse(res, 409, "call_closed", `call ${id} is over`) : refuse(res, 404, "unknown_call", `there is no call ${id}`);
  if (req.method === "PATCH") return take(req, res, call);
  life.cancel(call, Date.now());
  answer(res, { call: id, status: "cancelled", grid: call.grid, tick: Date.now() });
}

createServer((req, res) => {
  const url = new URL(req.url, "http://mock");
  if (req.method === "POST" && url.pathname === "/calls") return take(req, res);
  if (url.pathname === "/api/events") {
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    res.write(frame("snapshot", snapshot()));
    clients.add(res);
    req.on("close", () => clients.delete(res));
    return;
  }
  if (url.pathname === "/api/forecast") {
    const lead = Number(url.searchParams.get("lead")), now = Date.now();
    return answer(res, { time_ms: now, made_ms: made(), lead_min: lead, record: life.record(lead), links: city.links.map((l) => { const f = life.forecast(l, lead, now); return [l.id, f.level, f.speed_kmh, f.low_kmh, f.high_kmh, f.congested]; }) });
  }
  const numbered = /^(.*)\/(\d+)$/.exec(url.pathname);
  if (numbered?.[1] === "/calls" && ["PATCH", "DELETE"].includes(req.method)) return act(req, res, Number(numbered[2]));
  const get = numbered ? gets[`${numbered[1]}/:id`] : gets[url.pathname];
  if (get) return answer(res, get(numbered ? Number(numbered[2]) : undefined));
  const file = join(DIST, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
  if (!file.startsWith(DIST) || !existsSync(file)) return refuse(res, 404, "not_found", url.pathname);
  res.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP });
  createReadStream(file).pipe(res);
}).listen(PORT, "127.0.0.1", () => console.log(`mock city on http://127.0.0.1:${PORT}: ${city.links.length} links, ${city.junctions.length} junctions`));
