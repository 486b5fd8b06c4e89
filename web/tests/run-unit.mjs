#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The page's logic tests as one TAP program for tests/run.sh.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const run = spawnSync("npx", ["vitest", "run", "--reporter=tap-flat"], { cwd: web, stdio: ["ignore", "inherit", "inherit"] });
process.exit(run.status ?? 1);
