import http from "node:http"; import fs from "node:fs"; import path from "node:path"; import { chromium } from "playwright-core";
const ENGINE = process.argv[2], token = process.argv[3] ?? "";
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const server = http.createServer((req, res) => {
  const p = new URL(req.url, "http://x").pathname;
  if (p.startsWith("/api")) { const up = http.request(ENGINE + req.url, { method: req.method, headers: req.headers }, (r) => { res.writeHead(r.statusCode, r.headers); r.pipe(res); }); req.pipe(up); return; }
  const f = path.join("/tmp/r2-dist", p === "/roster" ? "/roster.html" : p);
  if (!fs.existsSync(f)) { res.writeHead(404); return res.end(); }
  res.writeHead(200, { "content-type": types[path.extname(f)] ?? "application/octet-stream" }); res.end(fs.readFileSync(f));
}).listen(8123);
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await b.newPage({ viewport: { width: 390, height: 844 }, locale: "zh-CN" });
page.on("console", (m) => ["error", "warning"].includes(m.type()) && console.log("console:", m.text())); page.on("pageerror", (e) => console.log("pageerror", e.message));
const shot = (n) => page.screenshot({ path: `/tmp/r2-page/${n}.png` });
const wide = async (n) => console.log(n, "overflow", await page.evaluate(() => document.documentElement.scrollWidth > innerWidth));
await page.goto("http://127.0.0.1:8123/roster" + (token ? `#token=${token}` : "")); await page.waitForTimeout(1500); await shot("1"); await wide("1");
if (!token) { await page.click('[data-testid="roster-sites"]'); await page.waitForTimeout(1500); await shot("2"); await wide("2");
await page.fill('[data-testid="search"]', process.argv[4] ?? ""); await page.waitForTimeout(300); await page.click('[data-testid="person"]'); }
await page.waitForTimeout(2500); await shot("3"); await wide("3");
const acc = await page.$('[data-testid="accept"]'); if (acc) { await acc.click(); await page.waitForTimeout(2500); await shot("4"); }
await page.click('[data-testid="tab-report"]'); await page.waitForTimeout(500); await shot("5"); await wide("5");
await page.fill('[data-testid="words"]', "裸土没有覆盖"); await page.click('[data-testid="send"]'); await page.waitForTimeout(2500); await shot("6");
await page.click('[data-testid="tab-points"]'); await page.waitForTimeout(500); await shot("7");
await b.close(); server.close();
