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

  await page.evaluate(() => window.nanming.openJunction(12));
  await page.waitForSelector(".stages .force");
  assert.ok((await page.textContent(".why")).length > 20);
  await page.keyboard.press("Escape");
  await page.waitForSelector(id("panel"), { state: "detached" });
  done("a junction tells why; Escape closes it");

  await page.locator(id("forecast-slider")).fill("30");
  await page.waitForFunction(() => document.querySelector(".forecast .said").textContent.includes("Expected at"));
  await page.click(".onsets .row");
  await page.waitForSelector("svg.band");
  await page.locator(id("forecast-slider")).fill("0");
  done("the forecast is drawn, and a link shows its own");

  await page.fill(id("search"), "n15_14");
  await page.keyboard.press("Enter");
  await page.waitForFunction((sel) => document.querySelector(sel)?.textContent.includes("Junction n15_14"), id("panel"));
  done("a junction is found by the keyboard alone");

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
  assert.match(await page.textContent(id("connection")), /Reconnecting since \d\d:\d\d:\d\d/);
  assert.equal(await page.locator(".page.stale").count(), 1);
  mock = await startMock();
  await state("live", 60_000);
  assert.equal(await page.locator(".page.stale").count(), 0);
  done(`a server that goes and comes back is followed (${((Date.now() - opened) / 1000).toFixed(0)} s in all)`);
} finally {
  await browser.close();
  mock.kill();
}
