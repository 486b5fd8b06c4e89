/* SPDX-License-Identifier: Apache-2.0 */
/* Widening a case: what is to be added, on which document; a second person decides and nothing is wider before. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { addExtension, type CaseDetail, decideExtension, type Extension } from "../../office";
import { CameraPick } from "../../parts/camerapick";
import { Dialog } from "../../parts/dialog";
import { MomentField, TextField } from "../../parts/fields";
import { HashedDocument } from "../../parts/filepick";
import { Act } from "../../parts/load";
import { toast } from "../../parts/toast";
import { tz } from "../../state";
import { CriteriaFields, type Lines, linesOf } from "./criteria";
import { extensionOf } from "./widen";

export function AskExtension({ c, close, done }: { c: CaseDetail; close: () => void; done: () => void }): JSX.Element {
  const zone = tz.value;
  const [reason, setReason] = useState("");
  const [hash, setHash] = useState("");
  const [from, setFrom] = useState<number | null>(c.from_ms);
  const [to, setTo] = useState<number | null>(c.to_ms);
  const [expires, setExpires] = useState<number | null>(c.expires_ms || null);
  const [cameras, setCameras] = useState<ReadonlySet<string>>(new Set(c.camera_ids));
  const [lines, setLines] = useState<Lines>({});
  const [fault, setFault] = useState<string | null>(null);
  const ask = async (): Promise<void> => {
    setFault(null);
    if (from === null || to === null || to <= from) return setFault(t("facet.period.order"));
    if (from > c.from_ms || to < c.to_ms) return setFault(t("extension.shrinks"));
    if (reason.trim() === "") return setFault(t("extension.reason.missing"));
    if (!hash) return setFault(t("case.hash.missing"));
    if (linesOf(lines).some((l) => l.line === "")) return setFault(t("criteria.line.missing"));
    const x = extensionOf(c, { reason, hash, from, to, expires: expires ?? c.expires_ms, cameras, lines });
    if (!x) return setFault(t("extension.nothing"));
    await addExtension(c.id, x);
    toast(t("extension.asked"));
    done();
    close();
  };
  return (
    <Dialog title={t("extension.ask.title", { id: c.id })} onClose={close} wide>
      <Act go={t("extension.send")} cancel={close} act={ask} fault={fault}>
        <p class="hint">{t("extension.note")}</p>
        <TextField label={t("extension.reason")} value={reason} onValue={setReason} maxLength={500} lines={2} focus />
        <HashedDocument label={t("case.document")} hash={hash} onHash={setHash} />
        <div class="pair">
          <MomentField label={t("case.from")} value={from} onValue={setFrom} tz={zone} now={c.from_ms} />
          <MomentField label={t("case.to")} value={to} onValue={setTo} tz={zone} now={c.to_ms} />
          <MomentField label={t("case.expires")} value={expires} onValue={setExpires} tz={zone} now={c.expires_ms || c.to_ms} />
        </div>
        <details>
          <summary>{t("extension.more.cameras")}</summary>
          <CameraPick chosen={cameras} onChosen={setCameras} fixed={new Set(c.camera_ids)} />
        </details>
        <details>
          <summary>{t("extension.more.criteria")}</summary>
          <CriteriaFields lines={lines} onLines={setLines} fixed={new Set(c.allowed_criteria)} tried={fault !== null} />
        </details>
      </Act>
    </Dialog>
  );
}

export function DecideExtension(props: {
  c: CaseDetail;
  x: Extension;
  yes: boolean;
  what: string;
  close: () => void;
  done: () => void;
}): JSX.Element {
  const { c, x, yes, close } = props;
  const [reason, setReason] = useState("");
  return (
    <Dialog title={t(yes ? "extension.approve.title" : "extension.refuse.title", { id: c.id })} onClose={close}>
      <Act
        go={t(yes ? "approve" : "refuse")}
        cancel={close}
        act={async () => {
          await decideExtension(c.id, x.id, yes, reason.trim());
          toast(t(yes ? "extension.approved.done" : "extension.refused.done"));
          props.done();
          close();
        }}
      >
        <p>
          <b>{props.what}</b>
        </p>
        <p>
          {t("extension.by.line", { who: x.by })} {x.reason}
        </p>
        <p class="hint">
          SHA-256 <span class="mono">{x.doc_sha256}</span>
        </p>
        <TextField label={t("extension.reason")} value={reason} onValue={setReason} maxLength={500} lines={2} optional={yes} />
      </Act>
    </Dialog>
  );
}
