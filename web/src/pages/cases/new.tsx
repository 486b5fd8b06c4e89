/* SPDX-License-Identifier: Apache-2.0 */
/* A new case from a requisition. What is typed is kept while the page lives: another page, an ended session or a
 * refusal by the server loses nothing of it. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../http";
import { language, t } from "../../i18n";
import { addCase } from "../../office";
import { CameraPick } from "../../parts/camerapick";
import { MomentField, SelectField, TextField } from "../../parts/fields";
import { HashedDocument } from "../../parts/filepick";
import { toast } from "../../parts/toast";
import { go, hashOf } from "../../router";
import { boot, chooseCase, errorText, refreshBoot, tz } from "../../state";
import { span } from "../../time";
import { CriteriaFields, type Lines, linesOf } from "./criteria";

const bases = ["60-1", "77-1-1", "99-3", "74", "other"] as const;

const empty = {
  no: "",
  authority: "",
  basis: "60-1" as (typeof bases)[number],
  basisText: "",
  offence: "",
  hash: "",
  from: null as number | null,
  to: null as number | null,
  expires: null as number | null,
  cameras: new Set<string>() as ReadonlySet<string>,
  lines: {} as Lines,
  officers: "",
};
const draft = signal({ ...empty });
const put = (change: Partial<typeof empty>): void => {
  draft.value = { ...draft.value, ...change };
};

const MAX_TERM_MS = 3 * 365 * 86400e3;

type Faults = Partial<Record<"no" | "authority" | "basis" | "offence" | "hash" | "from" | "to" | "expires" | "cameras" | "criteria", string>>;

function faultsOf(d: typeof empty, now: number): Faults {
  const f: Faults = {};
  const need = (name: keyof Faults, value: string): void => {
    if (value.trim() === "") f[name] = t("why.missing");
  };
  need("no", d.no);
  need("authority", d.authority);
  need("offence", d.offence);
  if (d.basis === "other") need("basis", d.basisText);
  if (!d.hash) f.hash = t("case.hash.missing");
  if (d.from === null) f.from = t("why.missing");
  if (d.to === null) f.to = t("why.missing");
  if (d.from !== null && d.to !== null && d.to <= d.from) f.to = t("facet.period.order");
  if (d.expires === null) f.expires = t("why.missing");
  else if (d.expires <= now) f.expires = t("why.past");
  else if (d.expires > now + MAX_TERM_MS) f.expires = t("case.expires.long");
  if (d.cameras.size === 0) f.cameras = t("case.cameras.none");
  const lines = linesOf(d.lines);
  if (lines.length === 0) f.criteria = t("case.criteria.none");
  else if (lines.some((l) => l.line === "")) f.criteria = t("criteria.line.missing");
  return f;
}

/* Which of the form's fields the server's `params.field` means. */
const fieldOf: Readonly<Record<string, keyof Faults>> = {
  no: "no",
  authority: "authority",
  legal_basis: "basis",
  offence: "offence",
  doc_sha256: "hash",
  from_ms: "from",
  to_ms: "to",
  expires_ms: "expires",
  camera_ids: "cameras",
  criteria: "criteria",
  line: "criteria",
};

export function NewCasePage(): JSX.Element {
  const d = draft.value;
  const zone = tz.value;
  const now = boot.value?.server_ms ?? Date.now();
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const own = tried ? faultsOf(d, now) : {};
  const named = error?.code === "bad_field" ? fieldOf[String(error.params.field).split(/[.[]/).findLast((w) => w in fieldOf) ?? ""] : undefined;
  const faults: Faults = named && error ? { ...own, [named]: errorText(error) } : own;
  const n = Object.keys(faults).length;
  const save = async (e: Event): Promise<void> => {
    e.preventDefault();
    setTried(true);
    setError(null);
    if (Object.keys(faultsOf(d, now)).length > 0 || d.from === null || d.to === null || d.expires === null) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>("main [aria-invalid]")?.focus());
      return;
    }
    setBusy(true);
    try {
      const officers = d.officers.split(/[\s,;]+/).filter(Boolean);
      const made = await addCase({
        requisition: {
          no: d.no.trim(),
          authority: d.authority.trim(),
          legal_basis: d.basis === "other" ? d.basisText.trim() : t(`basis.${d.basis}`),
          offence: d.offence.trim(),
          doc_sha256: d.hash,
        },
        from_ms: d.from,
        to_ms: d.to,
        camera_ids: [...d.cameras],
        criteria: linesOf(d.lines),
        expires_ms: d.expires,
        ...(officers.length ? { officers } : {}),
      });
      draft.value = { ...empty };
      await refreshBoot();
      chooseCase(made.id);
      toast(t("case.made", { id: made.id }));
      go("cases", made.id);
    } catch (x) {
      setError(asApiError(x));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <a class="link" href={hashOf("cases")}>
          {t("nav.cases")}
        </a>
        <h1>{t("case.new.title")}</h1>
      </div>
      <form class="form steps" noValidate onSubmit={(e) => void save(e)}>
        <section class="pan" aria-labelledby="new-1">
          <h2 id="new-1">{t("case.step.requisition")}</h2>
          <div class="pair">
            <TextField label={t("case.no")} value={d.no} onValue={(no) => put({ no })} maxLength={127} error={faults.no} focus />
            <TextField
              label={t("strip.authority")}
              note={t("case.authority.note")}
              value={d.authority}
              onValue={(authority) => put({ authority })}
              maxLength={127}
              error={faults.authority}
            />
            <SelectField
              label={t("strip.basis")}
              value={d.basis}
              onValue={(basis) => put({ basis })}
              options={bases.map((b) => ({ value: b, label: t(`basis.${b}`) }))}
              error={d.basis === "other" ? undefined : faults.basis}
            />
            {d.basis === "other" && (
              <TextField
                label={t("case.basis.text")}
                value={d.basisText}
                onValue={(basisText) => put({ basisText })}
                maxLength={63}
                error={faults.basis}
              />
            )}
            <TextField
              label={t("case.offence")}
              value={d.offence}
              onValue={(offence) => put({ offence })}
              maxLength={127}
              error={faults.offence}
            />
            <HashedDocument label={t("case.document")} hash={d.hash} onHash={(hash) => put({ hash })} error={faults.hash ?? null} />
          </div>
        </section>
        <section class="pan" aria-labelledby="new-2">
          <h2 id="new-2">{t("case.step.where")}</h2>
          <div class="pair">
            <MomentField label={t("case.from")} value={d.from} onValue={(from) => put({ from })} tz={zone} now={now} error={faults.from} />
            <MomentField label={t("case.to")} value={d.to} onValue={(to) => put({ to })} tz={zone} now={d.from ?? now} error={faults.to} />
          </div>
          {d.from !== null && d.to !== null && d.to > d.from && (
            <p class="hint">{span(d.from, d.to, zone, language.value)}</p>
          )}
          <CameraPick chosen={d.cameras} onChosen={(cameras) => put({ cameras })} error={faults.cameras ?? null} />
        </section>
        <section class="pan" aria-labelledby="new-3">
          <h2 id="new-3">{t("case.step.criteria")}</h2>
          <p class="hint">{t("case.criteria.note")}</p>
          <CriteriaFields lines={d.lines} onLines={(lines) => put({ lines })} tried={tried} />
          {faults.criteria && (
            <p class="hint err-t" role="alert">
              {faults.criteria}
            </p>
          )}
        </section>
        <section class="pan" aria-labelledby="new-4">
          <h2 id="new-4">{t("case.step.term")}</h2>
          <div class="pair">
            <MomentField
              label={t("case.expires")}
              note={t("case.expires.note")}
              value={d.expires}
              onValue={(expires) => put({ expires })}
              tz={zone}
              now={now}
              error={faults.expires}
            />
            <TextField
              label={t("case.officers")}
              note={t("case.officers.note")}
              value={d.officers}
              onValue={(officers) => put({ officers })}
              maxLength={400}
              optional
            />
          </div>
        </section>
        {error && !named && (
          <p class="refused" role="alert">
            {errorText(error)}
          </p>
        )}
        <div class="btns sticky">
          {n > 0 && (
            <span class="err-t" role="status">
              {t("form.faults", { n })}
            </span>
          )}
          <span class="sp" />
          <a class="btn" href={hashOf("cases")}>
            {t("case.later")}
          </a>
          <button class="btn pri" type="submit" disabled={busy}>
            {t("case.make")}
          </button>
        </div>
      </form>
    </main>
  );
}
