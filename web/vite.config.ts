import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The names are fixed, so that a rebuild of the same sources gives the same files; the page adds their hash as a version.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/xorj/web/static",
    emptyOutDir: true,
    manifest: false,
    rollupOptions: {
      input: "src/main.tsx",
      output: {
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
      },
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts?(x)"] },
});
