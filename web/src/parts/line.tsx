/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the line to the server, when it is not simply up: slow, or gone and being tried again. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, line } from "../http";
import { number, t } from "../i18n";
import { Icon } from "../icons";
import { phase } from "../session";
import { toast } from "./toast";

const WAITS_S = [2, 4, 8, 15, 30] as const;

/* Any answer, even a refusal, shows that the server is back. */
async function isBack(): Promise<boolean> {
  await get("/session", { anonymous: true }).catch(() => undefined);
  return line.peek() !== "gone";
}

export function Line(): JSX.Element | null {
  const state = line.value;
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (state !== "gone" || phase.value === "starting") return undefined;
    let tries = 0;
    let rest: number = WAITS_S[0];
    let asking = false;
    setLeft(rest);
    const timer = setInterval(() => {
      if (asking) return;
      rest--;
      setLeft(rest);
      if (rest > 0) return;
      asking = true;
      void isBack().then((back) => {
        asking = false;
        if (back) {
          toast(t("line.back"));
          return;
        }
        tries = Math.min(tries + 1, WAITS_S.length - 1);
        rest = WAITS_S[tries] ?? 30;
        setLeft(rest);
      });
    }, 1000);
    return () => clearInterval(timer);
  }, [state, phase.value === "starting"]);
  if (state === "up" || phase.value === "starting") return null;
  return (
    <div class={state === "gone" ? "line gone" : "line"} role="status">
      <Icon name="warn" />
      <p>
        {t(state === "gone" ? "line.gone" : "line.slow")}{" "}
        {state === "gone" && <span aria-hidden="true">{t("line.next", { n: number(Math.max(0, left)) })}</span>}
      </p>
      {state === "gone" && (
        <button class="btn" type="button" onClick={() => void isBack().then((b) => b && toast(t("line.back")))}>
          {t("line.now")}
        </button>
      )}
    </div>
  );
}
