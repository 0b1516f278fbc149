// Drives the travellers' page in headless Chromium over the real engine: node test/travel.mjs NANMING_BINARY|URL [FOLDER]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [what, folder] = process.argv.slice(2);
assert.ok(what, "usage: node test/travel.mjs NANMING_BINARY|URL [FOLDER]");
const id = (name) => `[data-testid="${name}"]`;
const done = (said) => console.log(`ok  ${said}`);
const freePort = () => new Promise((tell) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => tell(port));
  });
});

let [url, engine, dir] = [what, null, null];
if (!/^http/.test(what)) {
  dir = mkdtempSync(join(tmpdir(), "nanming-"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/`;
  engine = spawn(resolve(what), ["run", "--start", "08:00", "--speed", "6", "--listen", `127.0.0.1:${port}`, "--ledger", join(dir, "ledger.sqlite")], { cwd: dir, stdio: "ignore" });
}
const get = (path) => fetch(`${url}${path}`).then((r) => (r.ok ? r.json() : null), () => null);
const filled = async () => {
  const roads = await get("api/travel/roads?in=30");
  return roads !== null && roads.roads.filter((r) => r.expected.length > 0).length > roads.total / 2;
};
for (const began = Date.now(); !(await filled());) {
  assert.ok(Date.now() - began < 120_000 && (engine === null || engine.exitCode === null), "the engine has nothing to tell");
  await new Promise((later) => setTimeout(later, 200));
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const complaints = [];

async function visit({ width, height }, lang) {
  const context = await browser.newContext({ viewport: { width, height }, hasTouch: width < 900, deviceScaleFactor: width < 900 ? 2 : 1 });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(e.stack ?? e.message));
  const asked = new Set();
  page.on("request", (r) => asked.add(new URL(r.url()).pathname));
  const shot = (name) => folder && page.screenshot({ path: join(folder, `travel-${name}-${width}-${lang}.png`) });
  await page.goto(`${url}travel?lang=${lang}`);
  await page.waitForSelector(`${id("roads")} .level`);
  await page.waitForFunction(() => document.querySelectorAll("canvas").length === 1);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await shot("roads");
  await page.click(id("ahead-30"));
  await page.waitForSelector(`${id("ahead-30")}[aria-checked="true"]`);
  const name = await page.textContent(`${id("roads")} li b`);
  await page.fill(id("road-search"), name);
  await page.click(id(`road-${name}`));
  await page.waitForSelector(`${id("road-page")} .sections li`);
  await shot("road");
  await page.click(id("back"));
  await page.click(id("tab-trip"));
  const { venues } = await get("api/travel/city");
  await page.fill(id("trip-from"), venues[0].name.slice(0, 3));
  await page.click(".offers button >> nth=0");
  await page.click(id("pick-to"));
  const box = await page.locator(id("map")).boundingBox();
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.6);
  await page.waitForSelector(id("trip-result"));
  assert.equal(await page.locator("[data-testid^=depart-]").count(), 4);
  assert.match(await page.textContent(id("trip-result")), /\d/);
  await page.click(id("ahead-0"));
  await page.click(id("depart-30"));
  await page.waitForSelector(`${id("ahead-30")}[aria-checked="true"]`);
  await page.waitForTimeout(300); // the map moves to the way
  await shot("trip");
  await page.click(id("tab-incidents"));
  await page.waitForSelector(id("alerts"));
  await shot("alerts");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `nothing sticks out to the side at ${width}`);
  const other = [...asked].filter((path) => !/^\/(travel|icon\.svg|favicon\.ico|assets\/.*|api\/travel\/.*)$/.test(path));
  assert.deepEqual(other, [], "the page asks for nothing but what is public");
  await page.click(id("lang"));
  assert.equal(await page.textContent(id("lang")), lang === "zh" ? "中文" : "English");
  await context.close();
  done(`roads, a road, a trip and alerts at ${width}x${height} in ${lang}`);
}

try {
  await visit({ width: 390, height: 844 }, "zh");
  await visit({ width: 1440, height: 860 }, "en");
  await visit({ width: 844, height: 390 }, "en");
  assert.deepEqual(complaints, []);
  done("nothing to complain of in the console");
} finally {
  await browser.close();
  engine?.kill();
  if (dir) rmSync(dir, { recursive: true, force: true });
}
