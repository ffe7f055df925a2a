/**
 * Takes pictures of the page in its states, for a person to look at, and checks on the way what a
 * machine can see: content security policy, page scroll, accessibility (axe).
 *
 * `npm run shots` needs the stand-in (`python web/dev/server.py`) and a Chromium; pictures go to
 * build/shots (git-ignored). SHOTS=name,name takes only those.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:8123";
const OUT = new URL("../../build/shots/", import.meta.url).pathname;
const PAGE = "/quality/quality-assurance/coach-manager";
const only = process.env.SHOTS?.split(",");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

let bad = 0;
function complain(what) {
  bad += 1;
  console.error(`  !! ${what}`);
}
const play = (what) => fetch(`${BASE}/dev/${what}`, { method: "POST" });
const user = (id) => `${PAGE}?user=${id}`;

/** name: [address, what to do before the picture, what to do after] */
const STATES = {
  nobody: [PAGE],
  coach: [user("anna")],
  several: [user("priya")],
  kick: [user("tom")],
  long: [user("oyelaran")],
  atleast: [user("marco")],
  ended: [
    user("eve"),
    async (page) => {
      await play("start");
      await page.getByRole("button", { name: "Disconnect User" }).waitFor();
      await play("end");
      await page.getByTestId("no-supervision").waitFor();
    },
  ],
  segments: [
    user("anna"),
    async (page) => {
      await page.getByRole("button", { name: /^Segments of/ }).nth(2).click();
      await page.getByRole("table", { name: "Segments" }).waitFor();
    },
  ],
  tip: [user("marco"), (page) => page.getByRole("button", { name: /^How this is known/ }).first().focus()],
  dialog: [user("anna"), (page) => page.keyboard.press("d")],
  dialogkick: [user("tom"), (page) => page.keyboard.press("d")],
  notconfirmed: [
    user("marco"),
    async (page) => {
      await page.getByRole("button", { name: "Disconnect User" }).click();
      await page.getByRole("button", { name: "Disconnect", exact: true }).click();
      await page.getByText("not confirmed. Asterisk").waitFor();
    },
    () => play("busy"),
  ],
  keys: [user("anna"), (page) => page.keyboard.press("?")],
  connection: [user("anna"), (page) => page.getByTestId("connection").click()],
  view: [user("anna"), (page) => page.getByRole("button", { name: "View" }).click()],
  compact: [
    user("anna"),
    async (page) => {
      await page.getByRole("button", { name: "View" }).click();
      await page.getByRole("radio", { name: "Compact" }).check();
      await page.keyboard.press("Escape");
    },
    (page) => page.evaluate(() => localStorage.clear()),
  ],
  search: [user("anna"), (page) => page.getByRole("searchbox").fill("ben monitor")],
  notfound: ["/quality/nothing"],
  reconnecting: [
    user("anna"),
    async (page) => {
      await play("drop");
      await page.getByTestId("stale").waitFor();
      await page.waitForTimeout(1500);
    },
    () => play("restore"),
  ],
  empty: [PAGE, () => play("empty"), () => play("busy")],
  signin: ["/sign-in"],
  signinwrong: [
    "/sign-in",
    async (page) => {
      await page.getByLabel("Login").fill("quinn");
      await page.getByLabel("Password").fill("wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").filter({ hasText: "belong" }).waitFor();
    },
  ],
};

for (const width of [1440, 390]) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({
      viewport: { width, height: width === 390 ? 1600 : 900 },
      colorScheme,
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      baseURL: BASE,
      bypassCSP: false,
    });
    await context.request.post("/api/v1/session", { data: { login: "quinn", password: "x" } });
    for (const [name, [address, before, after]] of Object.entries(STATES)) {
      if (only && !only.includes(name)) continue;
      const shot = `${name}-${width}-${colorScheme}`;
      const page = await context.newPage();
      const expected = name === "reconnecting" || name === "signinwrong";
      page.on("console", (said) => {
        const text = said.text();
        if (said.type() === "error" && !(expected && /WebSocket|401|503/.test(text))) complain(`${shot}: ${text}`);
      });
      page.on("pageerror", (error) => complain(`${shot}: ${error.message}`));
      await page.goto(address);
      if (address.startsWith(PAGE)) await page.getByText("Live", { exact: true }).waitFor();
      await page.waitForTimeout(500);
      await before?.(page);
      await page.waitForTimeout(300);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) complain(`${shot}: scrolls sideways by ${over} px`);
      await page.screenshot({ path: `${OUT}${shot}.png` });
      // by the debugger's own way in: the policy rightly refuses an injected script
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }),
      );
      for (const { id, nodes } of violations) {
        complain(`${shot}: axe ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 140)).join(" | ")}`);
      }
      await after?.(page);
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
console.log(bad ? `${bad} complaints` : "all clean");
process.exitCode = bad ? 1 : 0;
