// Pictures of the page in headless Chromium, over the mock: node mock/shots.mjs [url] [folder] [scene,..] [size,..]
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const [url = "http://127.0.0.1:8099/", folder = "/tmp/nanming-shots", only, sizes = "1600x900,1280x720,1024x768,768x1024,844x390,390x844"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

const id = (name) => `[data-testid=${name}]`;
const openCall = (p) => p.evaluate(() => {
  const calls = [...window.nanming.calls.values()];
  window.nanming.openCall((calls.find((c) => c.phase === "accepted") ?? calls[0]).call);
});
const layers = async (p, zoom) => {
  for (const name of ["grids", "venues"]) await p.locator(id(`layer-${name}`)).check({ force: true });
  if (zoom) await p.evaluate((z) => window.nanming.map.setView(window.nanming.map.getCenter(), z, { animate: false }), zoom);
};
const raise = async (p) => {
  await p.locator(id("raise-call")).click();
  await p.locator(id("map")).click({ position: { x: 190, y: 130 } });
  await p.locator("[value=A]").check({ force: true });
  await p.locator("textarea").fill("两车追尾，一人受伤");
};
const scenes = {
  city: async () => {},
  junction: (p) => p.evaluate(() => window.nanming.openJunction(12)),
  call: openCall,
  change: async (p) => { await openCall(p); await p.locator(id("call-change")).click(); },
  withdraw: async (p) => { await openCall(p); await p.locator(id("call-withdraw")).click(); },
  raise,
  raised: async (p) => { await raise(p); await p.locator(id("call-submit")).click(); await p.waitForTimeout(4000); },
  forecast: async (p) => {
    await p.locator(id("forecast-slider")).fill("30");
    if ((await p.locator("[data-testid^=onset-row-]").count()) === 0) await p.locator("[data-testid^=onset-road-]").first().click();
    await p.locator("[data-testid^=onset-row-]").first().click();
  },
  layers: (p) => layers(p),
  "layers-near": (p) => layers(p, 14.5),
};
for (const [name, act] of Object.entries(scenes)) {
  if (only && !only.split(",").includes(name)) continue;
  for (const size of sizes.split(",")) for (const lang of ["zh", "en"]) {
    const [width, height] = size.split("x").map(Number);
    const what = `${name}-${size}-${lang}`;
    const page = await browser.newPage({ viewport: { width, height } });
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && console.log(what, m.type(), m.text()));
    page.on("pageerror", (e) => console.log(what, "threw", e.message, e.stack));
    await page.goto(`${url}?lang=${lang}`);
    await page.waitForFunction(() => window.nanming?.junctions.size > 0);
    await page.waitForTimeout(600);
    await act(page);
    await page.waitForTimeout(1200);
    await page.screenshot({ path: `${folder}/${what}.png` });
    await page.close();
  }
}
await browser.close();
