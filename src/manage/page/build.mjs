// Makes the live page's files and puts them into a C++ source (manage/page_assets.hpp).
//
//   node build.mjs SOURCE_DIRECTORY WORK_DIRECTORY OUTPUT.cpp
//
// WORK_DIRECTORY has node_modules (npm ci); the sources are copied there, checked by the TypeScript
// compiler and bundled. Bundled tests are left in WORK_DIRECTORY/tests.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [source, work, output] = process.argv.slice(2);
const { build } = createRequire(join(work, "package.json"))("esbuild");

const sources = join(work, "sources");
rmSync(sources, { recursive: true, force: true });
mkdirSync(sources, { recursive: true });
for (const name of readdirSync(source)) {
  if (/\.(ts|css|html|svg)$|^tsconfig\.json$/.test(name)) copyFileSync(join(source, name), join(sources, name));
}
execFileSync(process.execPath, [join(work, "node_modules/typescript/bin/tsc"), "-p", sources], { stdio: "inherit" });

const license = readFileSync(join(work, "node_modules/uplot/LICENSE"), "utf8");
const notice = `/*! This file contains uPlot.\n\n${license}*/`;
const common = { bundle: true, absWorkingDir: sources, target: "es2022", logLevel: "warning" };

async function bundled(entry, banner) {
  const result = await build({ ...common, entryPoints: [entry], minify: true, write: false, banner,
    legalComments: "none", format: "esm" });
  return Buffer.from(result.outputFiles[0].contents);
}

const types = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8",
  svg: "image/svg+xml", html: "text/html; charset=utf-8" };

function asset(stem, kind, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return { name: `${stem}-${hash}.${kind}`, type: types[kind], bytes };
}

const files = [
  asset("app", "js", await bundled("main.ts", { js: notice })),
  asset("app", "css", await bundled("page.css", { css: notice })),
  asset("icon", "svg", readFileSync(join(sources, "icon.svg"))),
];
const page = readFileSync(join(sources, "index.html"), "utf8").replace(/\{\{(\w+)\.(\w+)\}\}/g, (_, stem, kind) =>
  "?live=" + files.find((file) => file.name.startsWith(`${stem}-`) && file.name.endsWith(`.${kind}`)).name);
files.unshift(asset("page", "html", Buffer.from(page)));

const tests = join(work, "tests");
rmSync(tests, { recursive: true, force: true });
const entries = readdirSync(sources).filter((name) => name.endsWith(".test.ts"));
await build({ ...common, entryPoints: entries, outdir: tests, outExtension: { ".js": ".mjs" },
  platform: "node", format: "esm" });

function literal(bytes) {
  const rows = [];
  const signed = Int8Array.from(bytes);
  for (let at = 0; at < signed.length; at += 32) rows.push("    " + signed.subarray(at, at + 32).join(",") + ",");
  return rows.join("\n");
}

const arrays = files.map(({ bytes }, i) => `constexpr char bytes_${i}[] = {\n${literal(bytes)}\n};`);
const table = files.map(({ name, type, bytes }, i) =>
  `    PageAsset{"${name}", "${type}", std::string_view(bytes_${i}, ${bytes.length})},`);
writeFileSync(output, `// Made by page/build.mjs.
#include "manage/page_assets.hpp"

#include <array>

namespace steelyard::manage {

namespace {

${arrays.join("\n")}

constexpr std::array assets{
${table.join("\n")}
};

}  // namespace

std::span<const PageAsset> page_assets() { return assets; }

}  // namespace steelyard::manage
`);
