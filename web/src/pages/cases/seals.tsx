/* SPDX-License-Identifier: Apache-2.0 */
/* The seals of a case: asked for, decided by a second person, built, handed over with their receipt. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { approvals } from "../../events";
import { language, number, t } from "../../i18n";
import { Icon } from "../../icons";
import { archiveUrl, type CaseDetail, decideSeal, getSeals, manifestUrl, type Seal } from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act, Show, useLoad } from "../../parts/load";
import { sealed } from "../../parts/sealing";
import { toast } from "../../parts/toast";
import { may, user } from "../../session";
import { boot, tz } from "../../state";
import { dayAndTime } from "../../time";

const size = (bytes: number): string =>
  bytes >= 2 ** 30
    ? `${number(bytes / 2 ** 30, 1)} ${language.value === "fr" ? "Gio" : "GiB"}`
    : `${number(Math.max(bytes / 2 ** 20, 0.1), 1)} ${language.value === "fr" ? "Mio" : "MiB"}`;

const tone: Readonly<Record<Seal["state"], string>> = {
  waiting: "warn-t",
  building: "",
  ready: "ok-t",
  refused: "dim",
  failed: "err-t",
};

function Decide({ s, yes, close, done }: { s: Seal; yes: boolean; close: () => void; done: () => void }): JSX.Element {
  const [reason, setReason] = useState("");
  return (
    <Dialog title={t(yes ? "seal.approve.title" : "seal.refuse.title", { n: s.id })} onClose={close}>
      <Act
        go={t(yes ? "seal.approve" : "refuse")}
        cancel={close}
        act={async () => {
          await decideSeal(s.id, yes, reason.trim());
          toast(t(yes ? "seal.approved" : "seal.refused"));
          done();
          close();
        }}
      >
        <p>{t("seal.decide.text", { n: number(s.exhibit_ids.length), who: s.handed_to, by: s.by })}</p>
        <TextField label={t("extension.reason")} value={reason} onValue={setReason} maxLength={500} lines={2} optional={yes} focus />
      </Act>
    </Dialog>
  );
}

/* What is printed and signed at the hand-over. */
function Receipt({ s, c, close }: { s: Seal; c: CaseDetail; close: () => void }): JSX.Element {
  const lang = language.value;
  const rows: [string, string][] = [
    [t("strip.case"), c.id],
    [t("strip.requisition"), c.requisition.no],
    [t("seal.to"), s.handed_to],
    [t("seal.medium"), s.medium],
    [t("case.exhibits"), number(s.exhibit_ids.length)],
    [t("seal.asked.by"), `${s.by}, ${dayAndTime(s.at_ms, tz.value, lang)}`],
    [t("seal.approved.by"), `${s.decided_by ?? ""}, ${dayAndTime(s.decided_ms ?? 0, tz.value, lang)}`],
    [t("seal.size"), size(s.bytes ?? 0)],
    ["SHA-256", s.sha256 ?? ""],
    [t("seal.journal"), s.journal_seq === null ? "–" : number(s.journal_seq)],
    ["Relecture", boot.value?.version ?? ""],
  ];
  return (
    <Dialog
      title={t("seal.receipt.title", { n: s.id })}
      onClose={close}
      foot={
        <button class="btn pri" type="button" onClick={() => window.print()}>
          <Icon name="print" /> {t("seal.print")}
        </button>
      }
    >
      <div class="receipt">
        <dl class="facts">
          {rows.map(([k, v]) => (
            <>
              <dt>{k}</dt>
              <dd class={k === "SHA-256" ? "mono" : ""}>{v}</dd>
            </>
          ))}
        </dl>
        <h3>{t("seal.check")}</h3>
        <pre>sha256sum -c SHA256SUMS</pre>
        <p class="hint">{t("seal.check.note")}</p>
        <div class="signs">
          <p>{t("seal.sign.given")}</p>
          <p>{t("seal.sign.taken")}</p>
        </div>
      </div>
    </Dialog>
  );
}

export function Seals({ c }: { c: CaseDetail }): JSX.Element {
  const loaded = useLoad((signal) => getSeals(c.id, signal), [c.id, sealed.value, approvals.value]);
  const [deciding, setDeciding] = useState<{ s: Seal; yes: boolean } | null>(null);
  const [receipt, setReceipt] = useState<Seal | null>(null);
  const lang = language.value;
  const building = loaded.data?.items.some((s) => s.state === "building") ?? false;
  useEffect(() => {
    if (!building) return undefined;
    const timer = setInterval(loaded.again, 2000);
    return () => clearInterval(timer);
  }, [building]);
  return (
    <section class="pan" aria-labelledby="seals-title" tabIndex={0}>
      <h2 id="seals-title">{t("seal.list")}</h2>
      <Show of={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="dim">{t("seal.list.none")}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("seal.no")}</th>
                  <th scope="col">{t("seal.to")}</th>
                  <th scope="col">{t("extension.by")}</th>
                  <th scope="col">{t("import.state")}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((s) => (
                  <tr key={s.id}>
                    <th scope="row" class="m">
                      {s.id}
                    </th>
                    <td>
                      {s.handed_to}
                      <br />
                      <span class="dim">
                        {s.medium} · {t("seal.n", { n: number(s.exhibit_ids.length) })}
                      </span>
                    </td>
                    <td>
                      {s.by}
                      <br />
                      <span class="dim nb">{dayAndTime(s.at_ms, tz.value, lang)}</span>
                    </td>
                    <td>
                      <span class={tone[s.state]}>{t(`seal.state.${s.state}`)}</span>{" "}
                      {s.bytes ? <span class="dim">{size(s.bytes)}</span> : null}
                      {s.state === "failed" && (
                        <p class="hint" lang="en">
                          {s.error}
                        </p>
                      )}
                      {s.state === "waiting" && s.by === user.value?.login && <p class="hint">{t("seal.second")}</p>}
                      {s.state === "waiting" && may("export_approve") && s.by !== user.value?.login && (
                        <div class="btns tight">
                          <button class="btn small sealing" type="button" onClick={() => setDeciding({ s, yes: true })}>
                            {t("approve")}
                          </button>
                          <button class="btn small" type="button" onClick={() => setDeciding({ s, yes: false })}>
                            {t("refuse")}
                          </button>
                        </div>
                      )}
                      {s.state === "ready" && (
                        <div class="btns tight">
                          {may("export_receive") && (
                            <a class="btn small" href={archiveUrl(s.id)} download>
                              <Icon name="download" /> {t("seal.download")}
                            </a>
                          )}
                          {may("export_receive", "export_prepare") && (
                            <a class="btn small" href={manifestUrl(s.id)} download>
                              {t("seal.manifest")}
                            </a>
                          )}
                          <button class="btn small" type="button" onClick={() => setReceipt(s)}>
                            {t("seal.receipt")}
                          </button>
                        </div>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Show>
      {deciding && <Decide s={deciding.s} yes={deciding.yes} close={() => setDeciding(null)} done={loaded.again} />}
      {receipt && <Receipt s={receipt} c={c} close={() => setReceipt(null)} />}
    </section>
  );
}
