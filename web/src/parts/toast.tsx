/* SPDX-License-Identifier: Apache-2.0 */
/* One line that says an act is done; read aloud, gone after a while, never the only place that says it. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { Icon } from "../icons";

const shown = signal<string | null>(null);
let timer = 0;

export function toast(text: string): void {
  clearTimeout(timer);
  shown.value = text;
  timer = window.setTimeout(() => {
    shown.value = null;
  }, 6000);
}

export function Toast(): JSX.Element {
  return (
    <div class="toast" role="status">
      {shown.value && (
        <p>
          <Icon name="check" /> {shown.value}
        </p>
      )}
    </div>
  );
}
