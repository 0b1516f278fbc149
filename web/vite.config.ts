import { defineConfig } from "vite";

const engine = process.env["NANMING_API"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  build: { rolldownOptions: { input: ["index.html", "travel.html", "terminal.html", "roster.html"] }, target: "es2022", sourcemap: false, modulePreload: { polyfill: false } },
  server: { proxy: Object.fromEntries(["/api", "/calls", "/healthz", "/ws"].map((path) => [path, { target: engine, ws: path === "/ws" }])) },
});
