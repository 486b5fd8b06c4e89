/* SPDX-License-Identifier: Apache-2.0 */
/* What people made of a passage, as a mark with its word: decided, and whether it is an exhibit. */
import type { JSX } from "preact";
import type { Sighting } from "../api";
import { language, t } from "../i18n";
import { Icon, type IconName } from "../icons";
import { tz } from "../state";
import { dayAndTime } from "../time";
import { decisionOf, exhibitOf, pending } from "./decisions";

const icons: Readonly<Record<string, IconName>> = { confirmed: "check", rejected: "cross", undecided: "warn" };

/* A component of its own, so that a decision redraws this card's mark and no other card. */
export function Marks({ s }: { s: Sighting }): JSX.Element | null {
  const d = decisionOf(s);
  const inFile = exhibitOf(s) !== null;
  const busy = pending.value.has(s.id);
  if (!d && !inFile && !busy) return null;
  return (
    <span class="marks">
      {inFile && (
        <span class="mark file">
          <Icon name="lock" /> {t("mark.exhibit")}
        </span>
      )}
      {d && !(inFile && d.state === "confirmed") && (
        <span class={`mark ${d.state}`} title={t("mark.by", { who: d.by, when: dayAndTime(d.at_ms, tz.value, language.value) })}>
          <Icon name={icons[d.state] ?? "warn"} /> {t(`mark.${d.state}`)}
        </span>
      )}
      {busy && !d && <span class="mark">{t("mark.pending")}</span>}
    </span>
  );
}
