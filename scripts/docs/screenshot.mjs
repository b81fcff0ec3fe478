// screenshot.mjs CHROMIUM SERVER FILE: what scripts/docs-screenshot.sh does in the browser.

import { stat } from "node:fs/promises";
import { chromium } from "playwright-core";

const [executablePath, server, file] = process.argv.slice(2);
const LARGEST_BYTES = 200 * 1024;

function check(holds, text) {
  if (!holds) throw new Error(text);
}

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1420 } });
  page.setDefaultTimeout(30_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && origin !== server) faults.push(`asked another host: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });

  await page.goto(`${server}/docs`);
  check(page.url() === `${server}/docs/`, `/docs leads to ${page.url()}`);
  const operation = page.locator("#operations-prediction-predict_url");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const [response] = await Promise.all([
    page.waitForResponse(`${server}/url`),
    operation.getByRole("button", { name: "Execute" }).click(),
  ]);
  check(response.status() === 200, `POST /url: ${response.status()}`);

  // What a person sees is what was answered, and is a result.
  const live = operation.locator(".live-responses-table");
  const shown = JSON.parse(await live.locator(".response-col_description .highlight-code code").first().innerText());
  const answered = await response.json();
  check(JSON.stringify(shown) === JSON.stringify(answered), `shown: ${JSON.stringify(shown)}`);
  check(Object.keys(shown).join() === "result" && typeof shown.result === "number", `no result: ${JSON.stringify(shown)}`);
  check((await live.innerText()).includes("cache-status: augur; fwd=miss; stored"), "the headers are not shown");
  check(faults.length === 0, faults.join("\n"));

  await operation.evaluate((element) => element.scrollIntoView());
  await page.screenshot({ path: file });
  const { size } = await stat(file);
  check(size < LARGEST_BYTES, `${file} has ${size} bytes`);
  console.log(`POST /url answered ${JSON.stringify(shown)}; ${file}, ${size} bytes`);
} finally {
  await browser.close();
}
