import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // hash URLs and relative assets: the page works below any prefix
  plugins: [react()],
  build: {
    outDir: process.env["CHAINLAB_UI_OUT"] ?? "../chainlab/inspector/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // everything is a file of its own: the content policy allows no inline code
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { port: 5173, strictPort: true },
});
