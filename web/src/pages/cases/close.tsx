/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a case: no search is possible in it afterwards. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { type CaseDetail, closeCase } from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act } from "../../parts/load";
import { toast } from "../../parts/toast";

export function CloseCase({ c, close, done }: { c: CaseDetail; close: () => void; done: () => void }): JSX.Element {
  const [reason, setReason] = useState("");
  return (
    <Dialog title={t("case.close.title", { id: c.id })} onClose={close}>
      <Act
        go={t("case.close")}
        cancel={close}
        act={async () => {
          await closeCase(c.id, reason.trim());
          toast(t("case.closed.done", { id: c.id }));
          done();
          close();
        }}
      >
        <p>{t("case.close.text")}</p>
        {(c.n_extensions_pending ?? 0) > 0 && <p class="warn-t">{t("case.close.pending")}</p>}
        <TextField label={t("extension.reason")} value={reason} onValue={setReason} maxLength={500} lines={3} focus />
      </Act>
    </Dialog>
  );
}
