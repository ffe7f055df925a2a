/**
 * Two builds, not two entries of one: `--mode app` and `--mode sign-in`. Entries of one build
 * would share chunks, and then the server could not refuse everything but the sign-in page to
 * somebody who is not signed in.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { signIn } from "./src/texts.ts";

/** The static HTML takes its words from the catalogue too: `{{key}}`. */
function catalogue(): Plugin {
  const words: Record<string, unknown> = { ...signIn };
  return {
    name: "catalogue",
    transformIndexHtml: (html) =>
      html.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
        const text = words[key];
        if (typeof text !== "string") throw new Error(`no text "${key}" in the catalogue`);
        return text;
      }),
  };
}

/** The licences that what we ship asks us to ship with it: the font's and Svelte's. */
function licences(): Plugin {
  const of = (file: string) => readFileSync(new URL(`./node_modules/${file}`, import.meta.url), "utf8");
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "assets/app/licences.txt",
        source: [
          of("@fontsource-variable/atkinson-hyperlegible-next/LICENSE"),
          of("svelte/LICENSE.md"),
        ].join("\n\n----\n\n"),
      });
    },
  };
}

/** Beside each file of text the same compressed, which the server gives to browsers that take it:
 * done once here, so that the daemon spends nothing on it and the smallest form is affordable. */
function compressed(): Plugin {
  const LEAST = 1024; // bytes; below that a packet is sent anyway
  return {
    name: "compressed",
    apply: "build",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle).filter((n) => /\.(js|css|html|svg|txt)$/.test(n))) {
        const file = join(options.dir ?? "", name);
        const plain = readFileSync(file);
        if (plain.length < LEAST) continue;
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
        writeFileSync(`${file}.br`, brotliCompressSync(plain, { params })); // best by default
        writeFileSync(`${file}.gz`, gzipSync(plain, { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ mode }) => {
  const app = mode !== "sign-in";
  const assets = app ? "assets/app" : "assets/sign-in";
  return {
    root: import.meta.dirname,
    appType: "mpa",
    publicDir: false,
    plugins: app
      ? [svelte(), catalogue(), licences(), compressed()]
      : [catalogue(), compressed()],
    build: {
      outDir: "../build/page",
      emptyOutDir: app, // the app is built first, the sign-in page is put beside it
      assetsDir: assets,
      assetsInlineLimit: 0, // a data: address is not 'self' to the content security policy
      modulePreload: { polyfill: false },
      target: "es2022",
      reportCompressedSize: true,
      rolldownOptions: {
        input: app ? "index.html" : ["sign-in.html", "link.html"],
        output: {
          entryFileNames: `${assets}/[name]-[hash].js`,
          chunkFileNames: `${assets}/[name]-[hash].js`,
          assetFileNames: `${assets}/[name]-[hash][extname]`,
        },
      },
    },
    test: {
      include: ["src/**/*.test.ts"],
      environment: "node",
    },
  };
});
