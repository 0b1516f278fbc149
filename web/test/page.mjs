// Drives the built page in headless Chromium over the mock: npm run build && npm run test:page
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PORT = 8097;
const url = `http://127.0.0.1:${PORT}/`;
const startMock = async () => {
  const mock = spawn(process.execPath, [fileURLToPath(new URL("../mock/server.mjs", import.meta.url)), String(PORT)], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((ready) => mock.stdout.once("data", ready));
  return mock;
};
const id = (name) => `[data-testid="${name}"]`;

let mock = await startMock();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 860 }, locale: "en-GB" });
const complaints = [];
page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
page.on("pageerror", (e) => complaints.push(e.stack ?? e.message));
const state = (wanted, timeout = 30_000) => page.waitForSelector(`${id("connection")}[data-state="${wanted}"]`, { timeout });
const done = (what) => console.log(`ok  ${what}`);

try {
  await page.goto(url);
  await state("live");
  const opened = Date.now();
  assert.equal(await page.evaluate(() => window.nanming.links.size > 2000 && window.nanming.junctions.size === 499), true);
  for (const key of ["open_calls", "mean_speed_kmh", "tick_p99_ms", "dead_letters"]) assert.match(await page.textContent(id(`figure-${key}`)), /\d/);
  done("the page is live, with figures");

  await page.waitForFunction((sel) => Number(document.querySelector(sel).textContent) > 0, id("junction-changes"));
  done("stage changes are counted");

  await page.click(id("lang"));
  assert.equal(await page.textContent(id("lang")), "English");
  assert.equal(await page.textContent(id("raise-call")), "＋ 录入警情");
  await page.click(id("lang"));
  done("the language is switched");

  await page.click(id("raise-call"));
  await page.click(id("call-submit"));
  assert.match(await page.textContent(id("call-error")), /Pick a place/);
  await page.fill("[name=lat]", "26.6");
  await page.fill("[name=lon]", "1e999");
  await page.click(id("call-submit"));
  assert.match(await page.textContent(id("call-error")), /Longitude “1e999” is not a number/);
  await page.fill("[name=lon]", "106.7");
  await page.waitForSelector(id("call-error"), { state: "detached" });
  await page.fill("[name=lon]", "100");
  await page.fill("[name=lat]", "20");
  await page.click(id("call-submit"));
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent.includes("outside every patrol grid"), id("call-error"));
  done("a refusal is told in words");

  const box = await page.locator(id("map")).boundingBox();
  await page.mouse.click(box.x + 420, box.y + 400);
  await page.waitForFunction(() => document.querySelector("[name=lon]").value.startsWith("106."));
  await page.locator("[value=A]").check({ force: true });
  await page.fill("textarea", "two cars, one hurt");
  await page.click(id("call-submit"));
  const accepted = await page.textContent(id("call-accepted"));
  const call = Number(/call (\d+)/.exec(accepted)[1]);
  assert.equal(await page.textContent(id("panel-title")), `Call ${call}`);
  await page.waitForSelector(`${id(`call-row-${call}`)}[data-phase="accepted"]`, { timeout: 40_000 });
  await page.waitForSelector(".candidates .picked");
  assert.match(await page.textContent(id("panel")), /two cars, one hurt/);
  done("a call is raised on the map, accepted, assigned, and answered, live");

  await page.click(id("call-change"));
  await page.waitForSelector("[name=lon]");
  await page.mouse.click(box.x + 300, box.y + 330);
  await page.waitForFunction((was) => !was.startsWith(document.querySelector("[name=lon]")?.value ?? was), String(await page.evaluate((n) => window.nanming.calls.get(n).lon, call)));
  const [lon, lat] = [Number(await page.inputValue("[name=lon]")), Number(await page.inputValue("[name=lat]"))];
  await page.locator("[value=C]").check({ force: true });
  await page.selectOption("[name=category]", "collision");
  await page.click(id("change-submit"));
  await page.waitForSelector(id("call-updated"));
  await page.waitForFunction(([n, lon, lat]) => {
    const c = window.nanming.calls.get(n);
    return c.priority === "C" && c.category === "collision" && Math.abs(c.lon - lon) < 2e-6 && Math.abs(c.lat - lat) < 2e-6;
  }, [call, lon, lat]);
  assert.equal(await page.locator(id("change-form")).count(), 0);
  await page.click(id("call-change"));
  await page.fill("[name=lon]", "100");
  await page.click(id("change-submit"));
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent.includes("outside every patrol grid"), id("call-error"));
  await page.keyboard.press("Escape");
  await page.waitForSelector(id("change-form"), { state: "detached" });
  assert.equal(await page.textContent(id("panel-title")), `Call ${call}`);
  done("a call is changed: place, priority, category; a refusal is told; Escape leaves it as it is");

  await page.click(id("call-withdraw"));
  await page.keyboard.press("Escape");
  await page.waitForSelector(id("call-withdraw-yes"), { state: "detached" });
  assert.ok(await page.evaluate((n) => window.nanming.calls.has(n), call));
  await page.click(id("call-withdraw"));
  await page.click(id("call-withdraw-yes"));
  await page.waitForSelector(id("call-cancelled"));
  await page.waitForSelector(`.steps[data-phase="cancelled"]`);
  await page.waitForSelector(id(`call-row-${call}`), { state: "detached" });
  assert.equal(await page.locator(id("call-change")).count(), 0);
  done("a call is withdrawn, after it was asked");

  await page.evaluate(() => window.nanming.openJunction(12));
  await page.waitForSelector(".stages .force");
  assert.ok((await page.textContent(".why")).length > 20);
  await page.keyboard.press("Escape");
  await page.waitForSelector(id("panel"), { state: "detached" });
  done("a junction tells why; Escape closes it");

  await page.locator(id("forecast-slider")).fill("30");
  await page.waitForFunction(() => document.querySelector(".forecast .said").textContent.includes("Expected at"));
  if (await page.locator("[data-testid^=onset-row-]").count() === 0) await page.locator("[data-testid^=onset-road-]").first().click();
  await page.locator("[data-testid^=onset-row-]").first().click();
  await page.waitForSelector("svg.band");
  assert.match(await page.textContent(id("forecast-record")), /^Last weeks, 30 min ahead: off by 6\.1% of free speed; the 80% interval held 79%; onsets: 22 of 31 told came/);
  assert.match(await page.textContent(id("link-record")), /30 min ahead: off by/);
  await page.locator(id("forecast-slider")).fill("60");
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent.startsWith("Too few forecasts 60 min ahead"), id("forecast-record"));
  await page.locator(id("forecast-slider")).fill("0");
  done("the forecast is drawn, and a link shows its own; beside it how good such forecasts were");

  await page.fill(id("search"), "n15_14");
  await page.keyboard.press("Enter");
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent.includes("Junction n15_14"), id("panel"));
  done("a junction is found by the keyboard alone");

  await page.fill(id("search"), "甲秀楼");
  await page.keyboard.press("Enter");
  assert.ok(await page.isChecked(id("layer-venues")));
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent === "甲秀楼", id("panel-title"));
  // The newest: the oldest may be over before it is found.
  const long = await page.evaluate(() => Math.max(...window.nanming.calls.keys()));
  assert.ok(long > 2 ** 40);
  await page.fill(id("search"), String(long).slice(-6));
  await page.keyboard.press("Enter");
  await page.waitForFunction(([sel, n]) => document.querySelector(sel)?.textContent === `Call ${n}`, [id("panel-title"), long]);
  assert.match(await page.textContent(id(`call-row-${long}`)), new RegExp(`#…${String(long).slice(-6)}`));
  done("a venue is found, and a call by the end of its number");

  const surge = page.locator("[data-testid^=surge-row-]").first();
  const crowded = await surge.locator("b").first().textContent();
  await surge.click();
  await page.waitForFunction(([sel, name]) => document.querySelector(sel)?.textContent === name, [id("panel-title"), crowded]);
  assert.match(await page.textContent(id("venue-people")), /\d/);
  for (const bars of ["venue-outflow", "venue-ahead"]) assert.equal(await page.locator(`${id(bars)} > *`).count(), 12);
  assert.match(await page.textContent(id("panel")), /Many more people than usual.*Expected to leave.*within the hour/s);
  done("a venue with a surge tells how many people there are, will be, and how many will leave when");

  await page.keyboard.press("Escape");
  await page.locator(".tools .icon").click();
  for (const [width, height] of [[1600, 900], [1280, 720], [1024, 768], [768, 1024], [844, 390], [390, 844]]) {
    await page.setViewportSize({ width, height });
    // It is laid out anew, which takes a busy machine a while.
    const within = (what) => (error) => { throw new Error(`${what} at ${width}x${height}: ${error.message}`); };
    await page.waitForFunction(() => {
      const map = window.nanming.map;
      const at = map.getContainer().getBoundingClientRect();
      const ends = [...window.nanming.junctions.keys()].map((n) => window.nanming.placeOf(n)).map(([lon, lat]) => map.latLngToContainerPoint([lat, lon]));
      const over = [...document.querySelectorAll(".tools > *, .bottom > *")].map((e) => e.getBoundingClientRect());
      return ends.every(({ x, y }) => x >= 0 && y >= 0 && x <= at.width && y <= at.height &&
        !over.some((o) => x + at.x > o.left && x + at.x < o.right && y + at.y > o.top && y + at.y < o.bottom));
    }).catch(within("no junction is under tools or slider"));
    for (const button of [...await page.locator(".tools button, .tools label").all()]) {
      await page.waitForFunction((e) => { const r = e.getBoundingClientRect(); return e.contains(document.elementFromPoint(Math.min(r.left + r.width * 0.8, innerWidth - 2), r.top + r.height / 2)) || r.left > innerWidth; }, await button.elementHandle())
        .catch(within(`${await button.textContent()} can be clicked`));
    }
  }
  await page.setViewportSize({ width: 1440, height: 860 });
  done("the whole city is in sight in windows of every size, and every tool can be clicked");

  await page.waitForTimeout(400);
  await page.mouse.move(box.x + 500, box.y + 400);
  await page.mouse.wheel(0, -400);
  await page.waitForFunction(() => window.nanming.map.getZoom() >= 13 && !window.nanming.map._animatingZoom);
  const east = await page.evaluate(() => {
    const map = window.nanming.map;
    const at = [...window.nanming.junctions.keys()].map((n) => [n, map.latLngToContainerPoint([...window.nanming.placeOf(n)].reverse())]);
    return at.filter(([, p]) => p.x > map.getSize().x - 300 && p.x < map.getSize().x - 60 && p.y > 150 && p.y < 600)[0];
  });
  await page.mouse.move(box.x + east[1].x, box.y + east[1].y);
  await page.waitForSelector(".tip:not([hidden])");
  await page.mouse.click(box.x + east[1].x, box.y + east[1].y);
  await page.waitForSelector(".tip", { state: "hidden" });
  await page.waitForSelector(id("panel"));
  await page.waitForFunction(([n, sel]) => {
    const map = window.nanming.map;
    return map.latLngToContainerPoint([...window.nanming.placeOf(n)].reverse()).x + map.getContainer().getBoundingClientRect().x < document.querySelector(sel).getBoundingClientRect().left - 20;
  }, [east[0], id("panel")]);
  done("what is clicked comes out from under its panel, and the words beside the pointer go");

  const frames = await page.evaluate(() => new Promise((tell) => {
    const gaps = [];
    let last = performance.now();
    const step = (now) => { gaps.push(now - last); last = now; gaps.length < 300 ? requestAnimationFrame(step) : tell(gaps.sort((a, b) => a - b)); };
    requestAnimationFrame(step);
  }));
  console.log(`    frames over 5 s: median ${frames[150].toFixed(1)} ms, 99th ${frames[297].toFixed(1)} ms; last drawing ${await page.evaluate(() => window.nanming.drawn_ms.map((v) => v.toFixed(1)).join(" + "))} ms`);

  assert.deepEqual(complaints.filter((c) => !c.includes("422")), []);
  mock.kill();
  await state("reconnecting");
  assert.match(await page.textContent(id("connection")), /Reconnecting\s*for \d+ s/);
  assert.equal(await page.locator(".page.stale").count(), 1);
  mock = await startMock();
  await state("live", 60_000);
  assert.equal(await page.locator(".page.stale").count(), 0);
  done(`a server that goes and comes back is followed (${((Date.now() - opened) / 1000).toFixed(0)} s in all)`);
} finally {
  await browser.close();
  mock.kill();
}
