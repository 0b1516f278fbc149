// Drives the page in headless Chromium over the real engine: node test/engine.mjs NANMING_BINARY [SCREENSHOT.png]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [binary, shot] = process.argv.slice(2).map((path) => resolve(path));
assert.ok(binary, "usage: node test/engine.mjs NANMING_BINARY [SCREENSHOT.png]");
const id = (name) => `[data-testid="${name}"]`;
const done = (what) => console.log(`ok  ${what}`);
const freePort = () => new Promise((tell) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => tell(port));
  });
});

const dir = mkdtempSync(join(tmpdir(), "nanming-"));
const port = await freePort();
const engine = spawn(binary, ["run", "--start", "08:00", "--speed", "4", "--listen", `127.0.0.1:${port}`, "--ledger", join(dir, "ledger.sqlite")], { cwd: dir, stdio: "ignore" });
const url = `http://127.0.0.1:${port}/`;
const answers = () => fetch(`${url}healthz`).then((r) => r.ok, () => false);
for (const began = Date.now(); !(await answers());) {
  assert.ok(Date.now() - began < 60_000 && engine.exitCode === null, "the engine does not answer");
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, locale: "en-GB" });
const complaints = [];
page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
page.on("pageerror", (e) => complaints.push(e.stack ?? e.message));

try {
  await page.goto(url);
  await page.waitForSelector(`${id("connection")}[data-state="live"]`);
  // A junction is taken over as its controller begins a stage of its own plan: within its cycle.
  await page.waitForFunction(() => window.nanming.junctions.size === 499, undefined, { timeout: 60_000 });
  done("the page is live over the real engine, and shows every junction");

  await page.waitForFunction((sel) => Number(document.querySelector(sel).textContent) >= 20, id("junction-changes"), { timeout: 60_000 });
  done("junctions change");

  await page.waitForFunction((sel) => Number(document.querySelector(sel).textContent.replace(/\D/g, "")) > 0, id("figure-available_units"), { timeout: 60_000 });
  await page.click(id("raise-call"));
  await page.fill("[name=lon]", "106.63");
  await page.fill("[name=lat]", "26.65");
  await page.locator("[value=A]").check({ force: true });
  await page.fill("textarea", "two cars, one hurt");
  await page.click(id("call-submit"));
  const call = Number(/call (\d+)/.exec(await page.textContent(id("call-accepted")))[1]);
  await page.waitForFunction((sel) => ["assigned", "accepted", "arrived"].includes(document.querySelector(sel)?.dataset.phase), id(`call-row-${call}`), { timeout: 60_000 });
  await page.waitForSelector(".candidates .picked");
  done("a call raised on the page is accepted and assigned");

  await page.click(id("call-change"));
  await page.fill("[name=lat]", "26.66");
  await page.locator("[value=B]").check({ force: true });
  await page.click(id("change-submit"));
  await page.waitForSelector(id("call-updated"));
  await page.waitForFunction((n) => window.nanming.calls.get(n)?.priority === "B" && Math.abs(window.nanming.calls.get(n).lat - 26.66) < 1e-5, call);
  await page.click(id("call-withdraw"));
  await page.click(id("call-withdraw-yes"));
  await page.waitForSelector(id("call-cancelled"));
  await page.waitForSelector(id(`call-row-${call}`), { state: "detached" });
  await page.waitForSelector(`.steps[data-phase="cancelled"]`);
  done("it is changed and withdrawn on the page");

  await page.evaluate(() => window.nanming.openJunction(12));
  await page.waitForSelector(".stages .force");
  assert.ok((await page.textContent(".why")).length > 20);
  done("a junction tells its stages and why this one");
  if (shot) await page.screenshot({ path: shot });
  assert.deepEqual(complaints, []);
  done("nothing to complain of in the console");
} finally {
  await browser.close();
  engine.kill();
  rmSync(dir, { recursive: true, force: true });
}
