// Pictures of the page in headless Chromium, over the mock: node mock/shots.mjs [url] [folder]
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const url = process.argv[2] ?? "http://127.0.0.1:8099/";
const folder = process.argv[3] ?? "/tmp/nanming-shots";
const only = process.argv[4];
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

const scenes = {
  "desk-zh": [1600, 900, "zh", async () => {}],
  "desk-en": [1600, 900, "en", async () => {}],
  "desk-small": [1280, 720, "en", async (p) => p.evaluate(() => window.nanming.openJunction(7))],
  junction: [1600, 900, "zh", async (p) => p.evaluate(() => window.nanming.openJunction(12))],
  "junction-en": [1600, 900, "en", async (p) => p.evaluate(() => window.nanming.openJunction(30))],
  call: [1600, 900, "zh", async (p) => p.evaluate(() => { const c = [...window.nanming.calls.values()].find((x) => x.phase === "accepted") ?? [...window.nanming.calls.values()][0]; window.nanming.openCall(c.call); })],
  forecast: [1600, 900, "en", async (p) => { await p.locator("[data-testid=forecast-slider]").fill("30"); await p.waitForTimeout(600); await p.locator(".onsets .row").first().click(); }],
  grids: [1600, 900, "zh", async (p) => { for (const l of ["grids", "venues"]) await p.locator(`[data-testid=layer-${l}]`).check(); }],
  raise: [1600, 900, "zh", async (p) => { await p.locator("[data-testid=raise-call]").click(); await p.locator("[data-testid=map]").click({ position: { x: 500, y: 420 } }); await p.locator("[value=A]").check({ force: true }); await p.locator("textarea").fill("两车追尾，一人受伤"); }],
  raised: [1600, 900, "zh", async (p) => { await p.locator("[data-testid=raise-call]").click(); await p.locator("[data-testid=map]").click({ position: { x: 500, y: 420 } }); await p.locator("[data-testid=call-submit]").click(); await p.waitForTimeout(5000); }],
  phone: [390, 844, "zh", async () => {}],
  "phone-call": [390, 844, "en", async (p) => p.evaluate(() => window.nanming.openCall([...window.nanming.calls.keys()][0]))],
};
for (const [name, [width, height, lang, act]] of Object.entries(scenes)) {
  if (only && !only.split(",").includes(name)) continue;
  const page = await browser.newPage({ viewport: { width, height } });
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && console.log(name, m.type(), m.text()));
  page.on("pageerror", (e) => console.log(name, "threw", e.message, e.stack));
  await page.goto(`${url}?lang=${lang}`);
  await page.waitForFunction(() => window.nanming?.links.size > 0);
  await page.waitForTimeout(1200);
  await act(page);
  await page.waitForTimeout(1800);
  await page.screenshot({ path: `${folder}/${name}.png` });
  console.log(name, "drawn in ms", await page.evaluate(() => window.nanming.drawn_ms));
  await page.close();
}
await browser.close();
