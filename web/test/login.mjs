// Logs in on the page in headless Chromium over the real engine, with roles: node test/login.mjs NANMING_BINARY
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [binary] = process.argv.slice(2).map((path) => resolve(path));
assert.ok(binary, "usage: node test/login.mjs NANMING_BINARY");
const id = (name) => `[data-testid="${name}"]`;
const done = (what) => console.log(`ok  ${what}`);
const freePort = () => new Promise((tell) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => tell(port));
  });
});

const dir = mkdtempSync(join(tmpdir(), "nanming-"));
const hash = execFileSync(binary, ["password"], { cwd: dir, input: "correct horse battery\n" }).toString().trim();
writeFileSync(join(dir, "nanming.toml"), `[access]\nkey = "the key of roles, of 32 bytes or more"\npersons = { li = { role = "dispatcher", password = "${hash}" } }\n`);
const port = await freePort();
const engine = spawn(binary, ["run", "--listen", `127.0.0.1:${port}`, "--ledger", join(dir, "ledger.sqlite")], { cwd: dir, stdio: "ignore" });
const url = `http://127.0.0.1:${port}/`;
const answers = () => fetch(`${url}healthz`).then((r) => r.ok, () => false);
for (const began = Date.now(); !(await answers());) {
  assert.ok(Date.now() - began < 60_000 && engine.exitCode === null, "the engine does not answer");
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, locale: "en-GB" });
const page = await context.newPage();
const broken = [];
page.on("pageerror", (e) => broken.push(e.stack ?? e.message));

try {
  await page.goto(url);
  await page.waitForSelector(id("login"));
  done("the page asks who one is");
  await page.fill("[name=username]", "li");
  await page.fill("[name=password]", "wrong horse battery");
  await page.click(id("login-submit"));
  await page.waitForSelector(id("login-refused"));
  assert.equal(await page.inputValue("[name=password]"), "");
  done("a wrong password is refused");
  await page.fill("[name=password]", "correct horse battery");
  await page.click(id("login-submit"));
  await page.waitForSelector(`${id("connection")}[data-state="live"]`);
  await page.waitForSelector(id("login"), { state: "detached" });
  done("with the right one the page is live");
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["nanming_role", true, "Strict"]);
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).includes(cookie.value));
  done("no script can read the token");
  await page.reload();
  await page.waitForSelector(`${id("connection")}[data-state="live"]`);
  done("one stays logged in over a reload");
  await page.click(id("logout"));
  await page.waitForSelector(id("login"));
  assert.equal((await context.cookies()).length, 0);
  done("and is logged out again");
  assert.deepEqual(broken, []);
} finally {
  await browser.close();
  engine.kill();
  rmSync(dir, { recursive: true, force: true });
}
