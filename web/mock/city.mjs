// A seeded city of about the size and shape of Guiyang, in the server's own JSON. Street names are real ones of the
// city, laid on an invented network.

export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const CENTRE = [106.708, 26.588];
const KM_LON = 1 / 99.5, KM_LAT = 1 / 110.8;
const NS = ["瑞金路", "公园路", "中华路", "富水路", "宝山路", "护国路", "遵义路", "浣沙路", "枣山路", "黄金路", "金阳大道", "长岭路", "东山路", "水东路", "机场路", "花溪大道", "甲秀路", "太慈桥路", "新添大道", "云岩大道", "沙冲路", "朝阳洞路", "解放路"];
const EW = ["北京路", "八鸽岩路", "黔灵路", "延安路", "省府路", "中山路", "都司路", "市南路", "文昌路", "新华路", "箭道街", "贵惠路", "解放西路", "油榨街", "蟠桃宫路", "大营路", "三桥路", "头桥路", "观山路", "林城路", "北二环", "南明路", "青云路", "人民大道"];
const DISTRICTS = [["云岩", "Yunyan"], ["南明", "Nanming"], ["观山湖", "Guanshanhu"], ["花溪", "Huaxi"], ["乌当", "Wudang"], ["白云", "Baiyun"]];
const VENUES = [["贵阳奥体中心", 52000, -6.2, 3.3], ["甲秀楼", 6000, 0.4, -0.9], ["花果园中心商务区", 30000, -1.8, -1.8], ["喷水池", 9000, 0.2, 0.7], ["贵阳北站", 40000, -3.3, 4.2], ["青云市集", 12000, 0.9, -2.1], ["贵阳站", 26000, 0.1, -3.2], ["黔灵山公园", 15000, -1.2, 1.9], ["贵阳东站", 18000, 5.6, 2.6]];

export function makeCity(seed = 1) {
  const rnd = random(seed);
  // A warped lattice: dense in the old town, loose outside, with a second centre in the north-west; holes are hills.
  const across = 30, up = 29, nodes = new Map();
  const warp = (t) => Math.sign(t) * (0.62 * Math.abs(t) + 0.38 * Math.abs(t) ** 2.1);
  for (let i = 0; i < across; i++) for (let k = 0; k < up; k++) {
    const u = (i / (across - 1)) * 2 - 1, v = (k / (up - 1)) * 2 - 1;
    const x = 7.6 * warp(u) + 0.9 * Math.sin(2.1 * v + 0.6) + (rnd() - 0.5) * 0.16;
    const y = 6.4 * warp(v) + 0.7 * Math.sin(2.4 * u) + (rnd() - 0.5) * 0.16;
    const hill = Math.hypot(x + 2.6, (y - 2.3) * 1.1) < 1.15 || Math.hypot(x - 3.6, y + 0.4) < 1.0 || Math.hypot(x + 4.8, y + 2.2) < 1.3 || Math.hypot(x - 2.9, y - 4) < 1.1;
    const edge = (x / 7.9) ** 2 + (y / 6.8) ** 2 > 0.93 + 0.1 * Math.sin(5 * Math.atan2(y, x));
    if (!hill && !edge) nodes.set(`${i},${k}`, { i, k, x, y });
  }
  const lonlat = (x, y) => [+(CENTRE[0] + x * KM_LON).toFixed(6), +(CENTRE[1] + y * KM_LAT).toFixed(6)];
  const links = [];
  const join = (a, b, road, big) => {
    const bend = (rnd() - 0.5) * 0.12, mx = (a.x + b.x) / 2 - (b.y - a.y) * bend, my = (a.y + b.y) / 2 + (b.x - a.x) * bend;
    const points = [];
    for (let s = 0; s <= 6; s++) {
      const q = s / 6, p = 1 - q;
      points.push(lonlat(p * p * a.x + 2 * p * q * mx + q * q * b.x, p * p * a.y + 2 * p * q * my + q * q * b.y));
    }
    const length_m = Math.round(Math.hypot(a.x - b.x, a.y - b.y) * 1000);
    const base = { road, lanes: big ? 3 + (rnd() < 0.4) : rnd() < 0.3 ? 1 : 2, length_m, free_kmh: big ? 60 : 45 };
    for (const [from, to, course] of [[a, b, points], [b, a, [...points].reverse()]]) links.push({ ...base, id: links.length, from, to, points: course });
  };
  for (const n of nodes.values()) {
    const east = nodes.get(`${n.i + 1},${n.k}`), north = nodes.get(`${n.i},${n.k + 1}`);
    if (east && (n.k % 4 === 1 || rnd() < 0.9)) join(n, east, EW[n.k % EW.length], n.k % 4 === 1);
    if (north && (n.i % 4 === 2 || rnd() < 0.9)) join(n, north, NS[n.i % NS.length], n.i % 4 === 2);
  }
  const into = new Map();
  for (const l of links) into.set(l.to, [...(into.get(l.to) ?? []), l]);
  const busy = [...into.keys()].filter((n) => into.get(n).length >= 3).sort((a, b) => Math.hypot(a.x, a.y) - Math.hypot(b.x, b.y)).slice(0, 499);
  const districtOf = (x, y) => (x < -3 && y > 3.6 ? 5 : x < -2.2 && y > 0 ? 2 : y < -3 ? 3 : x > 3.2 && y > 0.6 ? 4 : y > -0.4 ? 0 : 1);
  const junctions = busy.map((n, id) => ({ id, name: `n${n.i}_${n.k}`, at: lonlat(n.x, n.y), x: n.x, y: n.y, district: districtOf(n.x, n.y), ...signals(into.get(n)) }));
  for (const l of links) {
    l.district = districtOf(l.from.x, l.from.y);
    l.name = `n${l.from.i}_${l.from.k}-n${l.to.i}_${l.to.k}`;
  }
  const grids = [];
  for (let r = 0; r < 15; r++) for (let c = 0; c < 16; c++) {
    const [x0, y0] = [-8 + c, -6.75 + r * 0.9];
    grids.push({ id: grids.length, name: `${"甲乙丙丁戊己"[districtOf(x0, y0)]}${String(grids.length + 1).padStart(3, "0")}`, district: districtOf(x0 + 0.5, y0 + 0.45), sw: lonlat(x0, y0), ne: lonlat(x0 + 1, y0 + 0.9) });
  }
  const spots = [...nodes.values()];
  const units = Array.from({ length: 1200 }, (_, id) => {
    const n = spots[Math.floor(rnd() ** 1.3 * spots.length)];
    const at = lonlat(n.x + (rnd() - 0.5) * 0.4, n.y + (rnd() - 0.5) * 0.4);
    return { id, name: `${["云", "南", "观", "花", "乌", "白"][districtOf(n.x, n.y)]}${id % 3 ? "巡" : "骑"}${String(id + 1).padStart(4, "0")}`, grid: gridAt(grids, ...at) ?? 0, lon: at[0], lat: at[1], status: rnd() < 0.12 ? "off_duty" : rnd() < 0.3 ? "stationed" : "ready", assignment: null };
  });
  const venues = VENUES.map(([name, capacity, x, y], id) => ({ id, name, capacity, at: lonlat(x, y) }));
  const lons = spots.map((n) => lonlat(n.x, n.y)[0]), lats = spots.map((n) => lonlat(n.x, n.y)[1]);
  return { bounds: [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], links, junctions, grids, units, venues, districts: DISTRICTS.map(([name, name_en], id) => ({ id, name, name_en })) };
}

export const gridAt = (grids, lon, lat) => grids.find((g) => lon >= g.sw[0] && lon < g.ne[0] && lat >= g.sw[1] && lat < g.ne[1])?.id;

/** Heads (left, through, right for each approach) and the usual stages. */
function signals(approaches) {
  const heads = approaches.flatMap((l) => ["right", "through", "left"].map((turn) => ({ from_link: l.id, from_road: l.road, turn, ns: l.to.i === l.from.i })));
  const light = (go) => heads.map((h) => (go(h) ? "G" : h.turn === "right" ? "g" : "r")).join("");
  const stages = [
    { name: "north-south through", lights: light((h) => h.ns && h.turn !== "left"), min_green_s: 15, max_green_s: 60 },
    { name: "north-south left", lights: light((h) => h.ns && h.turn === "left"), min_green_s: 8, max_green_s: 30 },
    { name: "east-west through", lights: light((h) => !h.ns && h.turn !== "left"), min_green_s: 15, max_green_s: 60 },
    { name: "east-west left", lights: light((h) => !h.ns && h.turn === "left"), min_green_s: 8, max_green_s: 30 },
  ].filter((s) => s.lights.includes("G"));
  return { heads: heads.map(({ ns: _, ...h }) => h), stages };
}
