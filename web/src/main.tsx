/* SPDX-License-Identifier: Apache-2.0 */
import { render } from "preact";
import { Shell } from "./shell";
import { restoreLanguage, start } from "./state";
import "./styles/base.css";
import "./styles/search.css";
import "./styles/acts.css";
import "./styles/pages.css";
import "./styles/narrow.css";

await restoreLanguage();
const root = document.getElementById("app");
if (root) render(<Shell />, root);
void start();
