/** Takes over the server-rendered page: same content, kept fresh. Without this script the page stays readable. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import type { Overview } from "./overview";
import "./style.css";

const root = document.getElementById("app");
const bootstrap = document.getElementById("overview");
if (root && bootstrap) {
  const overview = JSON.parse(bootstrap.textContent) as Overview;
  createRoot(root).render(
    <StrictMode>
      <App initial={overview} />
    </StrictMode>,
  );
}
