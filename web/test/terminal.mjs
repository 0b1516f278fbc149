// Drives the terminal's page in headless Chromium over the real engine: node test/terminal.mjs BINARY [FOLDER for pictures]
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [what, folder] = process.argv.slice(2);
assert.ok(what, "usage: node test/terminal.mjs NANMING_BINARY [FOLDER]");
const binary = resolve(what);
const id = (name) => `[data-testid="${name}"]`;
const done = (said) => console.log(`ok  ${said}`);
const freePort = () => new Promise((tell) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => tell(port));
  });
});

const dir = mkdtempSync(join(tmpdir(), "nanming-"));
const port = await freePort();
const url = `http://127.0.0.1:${port}/`;
const env = { ...process.env, NANMING_TERMINALS__KEY: "a key of this test" };
const start = () => spawn(binary, ["run", "--no-sim", "--listen", `127.0.0.1:${port}`, "--ledger", join(dir, "ledger.sqlite")], { cwd: dir, env, stdio: "ignore" });
let engine = start();
const get = (path) => fetch(`${url}${path}`).then((r) => (r.ok ? r.json() : null), () => null);
async function until(holds, what) {
  for (const began = Date.now(); !(await holds());) {
    assert.ok(Date.now() - began < 60_000, `${what} did not come`);
    await new Promise((later) => setTimeout(later, 100));
  }
}
const answers = () => until(() => get("healthz"), "an answer");
await answers();
const city = await get("api/city");
const grids = await get("api/grids.geojson");
const unit = city.units[7];
const token = execFileSync(binary, ["terminal-token", "--unit", unit.name], { cwd: dir, env }).toString().trim();
const home = grids.features.find((f) => f.properties.id === unit.grid).geometry.coordinates[0];
const centre = [0, 1].map((i) => (Math.min(...home.map((p) => p[i])) + Math.max(...home.map((p) => p[i]))) / 2);
let calls = 100;
const raise = async (words, priority = "A", away = 0.004) => {
  const alarm = { id: ++calls, priority, category: "crime", lon: centre[0] + away, lat: centre[1] + away / 2, words };
  assert.equal((await fetch(`${url}calls`, { method: "POST", body: JSON.stringify(alarm) })).status, 201);
  return calls;
};
const phase = async (call) => (await get(`calls/${call}`))?.phase;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const complaints = [];
const isLost = (text) => /WebSocket connection|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED/.test(text);

async function visit({ lang, gps, width = 390, height = 844 }, body) {
  const place = gps ? { geolocation: { longitude: centre[0], latitude: centre[1] }, permissions: ["geolocation"] } : {};
  const context = await browser.newContext({ viewport: { width, height }, hasTouch: true, deviceScaleFactor: 2, ...place });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && !isLost(m.text()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(e.stack ?? e.message));
  const shot = async (name) => {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, `nothing sticks out: ${name}`);
    if (folder) await page.screenshot({ path: join(folder, `terminal-${name}-${width}-${lang}.png`) });
  };
  await body(page, shot, context);
  await context.close();
}

try {
  await visit({ lang: "zh", gps: true }, async (page, shot, context) => {
    await page.goto(`${url}terminal?lang=zh#token=not.1.right`);
    await page.waitForSelector(id("refused"));
    await shot("login");
    await page.fill(id("token"), token);
    await page.click(id("login"));
    await page.waitForFunction(([sel, name]) => document.querySelector(sel)?.textContent === name, [id("unit"), unit.name]);
    await page.waitForSelector(id("banner"), { state: "detached" });
    await page.waitForFunction(() => document.querySelectorAll("canvas").length === 1);
    await until(async () => (await fetch(`${url}metrics`).then((r) => r.text())).includes("nanming_units_available 1\n"), "the report");
    await shot("idle");
    done("a wrong token is refused, a right one logs in, and the position of the phone is reported");

    let call = await raise("沃尔玛门口两人持械斗殴，其中一人受伤流血，围观群众较多");
    await page.waitForSelector(`${id("task")}[data-phase="assigned"]`);
    await shot("assigned");
    await page.click(id("decline"));
    await shot("why");
    await page.click(id("back"));
    await page.click(id("accept"));
    await page.waitForSelector(`${id("task")}[data-phase="accepted"]`);
    assert.equal(await phase(call), "accepted");
    await shot("accepted");
    done("a task is shown and accepted");

    await context.setOffline(true);
    engine.kill("SIGKILL");
    await page.waitForSelector(id("banner"), { timeout: 60_000 });
    await page.click(id("arrived"));
    await page.waitForSelector(id("sending"));
    await shot("lost");
    engine = start();
    await answers();
    assert.equal(await phase(call), "accepted");
    await context.setOffline(false);
    await page.waitForSelector(`${id("task")}[data-phase="arrived"]`, { timeout: 60_000 });
    assert.equal(await phase(call), "arrived");
    done("an answer given while the link was lost, and the engine with it, is sent when both are back");

    await page.reload();
    await page.waitForSelector(`${id("task")}[data-phase="arrived"]`);
    assert.ok(!page.url().includes("token"), "the token is not in the address");
    await shot("arrived");
    await page.click(id("close"));
    await page.click(id("sure"));
    await page.waitForSelector(id("idle"));
    assert.equal(await phase(call), "closed");
    done("loaded again it is logged in, and the task is closed");

    call = await raise("again", "C");
    await page.waitForSelector(id("task"));
    await fetch(`${url}calls/${call}`, { method: "DELETE" });
    await page.waitForSelector(id("notice"));
    await shot("withdrawn");
    done("a withdrawn task goes, and the page says why");
  });
  await visit({ lang: "en", gps: false }, async (page, shot) => {
    await page.goto(`${url}terminal?lang=en#token=${token}`);
    await page.waitForSelector(`${id("here")}.none`);
    await page.waitForFunction(() => document.querySelectorAll("canvas").length === 1);
    await shot("where");
    const box = await page.locator(id("map")).boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForSelector(`${id("here")}:not(.none)`);
    await raise("Fight in front of the supermarket, one is hurt", "B");
    await page.waitForSelector(id("task"));
    await shot("assigned");
    await page.click(id("decline"));
    await page.click(id("why-vehicle"));
    await page.waitForSelector(id("idle"));
    await page.click(id("lang"));
    assert.equal(await page.textContent(id("lang")), "English");
    done("without a position one taps; a task is declined with its reason");
  });
  await visit({ lang: "en", gps: true, width: 844, height: 390 }, async (page, shot) => {
    await page.goto(`${url}terminal?lang=en#token=${token}`);
    await page.waitForSelector(id("idle"));
    await page.waitForFunction(() => document.querySelectorAll("canvas").length === 1);
    await shot("wide");
  });
  assert.deepEqual(complaints, []);
  done("nothing to complain of in the console");
} finally {
  await browser.close();
  engine.kill();
  rmSync(dir, { recursive: true, force: true });
}
