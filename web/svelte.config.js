import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Tables say their roles because the narrow layout takes `display: table` away, and with it
    // the roles that browsers derive from it.
    warningFilter: (warning) => warning.code !== "a11y_no_redundant_roles",
  },
};
