/* SPDX-License-Identifier: Apache-2.0 */
/* The exhibits of a case: what was kept, with what margin and which note; each plays here for those who may view. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { getClip, thumbUrl } from "../../api";
import { caseChanges } from "../../events";
import { language, number, t } from "../../i18n";
import { Icon } from "../../icons";
import { type CaseDetail, changeExhibit, type Exhibit, getExhibits, removeExhibit } from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act, Show, useLoad } from "../../parts/load";
import { sealing } from "../../parts/sealing";
import { toast } from "../../parts/toast";
import { may } from "../../session";
import { cameraName, tz } from "../../state";
import { clock, day, duration } from "../../time";

function Player({ caseId, x, close }: { caseId: string; x: Exhibit; close: () => void }): JSX.Element {
  const [part, setPart] = useState<number | undefined>(undefined);
  const clip = useLoad((signal) => getClip(caseId, x.sighting_id, signal, part), [x.sighting_id, part]);
  return (
    <Dialog title={`${x.camera_id} ${cameraName(x.camera_id)}`} onClose={close} wide>
      <Show of={clip}>
        {(c) => (
          <>
            <video
              class="clip"
              src={c.url}
              controls
              autoplay
              muted
              onEnded={() => c.part + 1 < c.parts && setPart(c.to_ms + 1)}
            />
            <p class="hint">
              {day(c.from_ms, tz.value, language.value)} {clock(c.from_ms, tz.value, language.value)} ·{" "}
              {t("exhibit.part", { n: c.part + 1, of: c.parts })}
            </p>
          </>
        )}
      </Show>
    </Dialog>
  );
}

function Edit({ caseId, x, close, done }: { caseId: string; x: Exhibit; close: () => void; done: () => void }): JSX.Element {
  const [before, setBefore] = useState(String(x.pad_before_s));
  const [after, setAfter] = useState(String(x.pad_after_s));
  const [note, setNote] = useState(x.note);
  const seconds = (text: string): number => Number(text.trim().replace(",", "."));
  const bad = (text: string): string | null =>
    text.trim() !== "" && Number.isInteger(seconds(text)) && seconds(text) >= 0 && seconds(text) <= 600 ? null : t("exhibit.pad.bad");
  return (
    <Dialog title={t("exhibit.edit")} onClose={close}>
      <Act
        go={t("password.go")}
        cancel={close}
        act={async () => {
          if (bad(before) || bad(after)) return;
          await changeExhibit(caseId, x.id, { pad_before_s: seconds(before), pad_after_s: seconds(after), note: note.trim() });
          done();
          close();
        }}
      >
        <div class="pair">
          <TextField label={t("exhibit.before")} value={before} onValue={setBefore} inputMode="numeric" maxLength={3} error={bad(before)} focus />
          <TextField label={t("exhibit.after")} value={after} onValue={setAfter} inputMode="numeric" maxLength={3} error={bad(after)} />
        </div>
        <TextField label={t("exhibit.note")} value={note} onValue={setNote} maxLength={1000} lines={3} optional />
      </Act>
    </Dialog>
  );
}

export function Exhibits({ c }: { c: CaseDetail }): JSX.Element {
  const loaded = useLoad((signal) => getExhibits(c.id, signal), [c.id, caseChanges.value]);
  const [editing, setEditing] = useState<Exhibit | null>(null);
  const [playing, setPlaying] = useState<Exhibit | null>(null);
  const lang = language.value;
  const mayChange = may("export_prepare") && c.state === "open";
  const n = loaded.data?.items.length ?? 0;
  return (
    <section class="pan" aria-labelledby="exhibits-title">
      <div class="pan-hd">
        <h2 id="exhibits-title">
          {t("case.exhibits")} <span class="dim">{number(n)}</span>
        </h2>
        {mayChange && n > 0 && (
          <button class="btn sealing" type="button" onClick={() => (sealing.value = c.id)}>
            <Icon name="lock" /> {t("seal.open")}
          </button>
        )}
      </div>
      <Show of={loaded}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="dim">{t(may("search") ? "exhibit.none" : "exhibit.none.reader")}</p>
          ) : (
            <ul class="exhibits">
              {items.map((x, i) => (
                <li key={x.id}>
                  {may("view") && c.state === "open" ? (
                    <button
                      class="shot"
                      type="button"
                      aria-label={t("exhibit.play", { n: i + 1 })}
                      onClick={() => setPlaying(x)}
                    >
                      <img
                        src={thumbUrl(c.id, x.sighting_id)}
                        alt=""
                        loading="lazy"
                        onError={(e) => (e.currentTarget.hidden = true)}
                      />
                      <Icon name="play" />
                    </button>
                  ) : (
                    <span class="shot" aria-hidden="true" />
                  )}
                  <div>
                    <p>
                      <b>{t("exhibit.n", { n: i + 1 })}</b> <b>{x.camera_id}</b> {cameraName(x.camera_id)}
                    </p>
                    <p class="m">
                      {day(x.from_ms, tz.value, lang)} {clock(x.from_ms, tz.value, lang)} · {duration(x.to_ms - x.from_ms, lang)}{" "}
                      <span class="dim">{t("exhibit.pad", { before: x.pad_before_s, after: x.pad_after_s })}</span>
                    </p>
                    <p>
                      <span class={x.decision?.state === "confirmed" ? "ok-t" : x.decision?.state === "rejected" ? "err-t" : "warn-t"}>
                        {t(`decision.${x.decision?.state ?? "none"}`)}
                      </span>{" "}
                      <span class="dim">{x.decision?.by ?? x.by}</span>
                    </p>
                    {x.note && <p class="note">{x.note}</p>}
                  </div>
                  {mayChange && (
                    <span class="row-acts">
                      <button class="link small" type="button" onClick={() => setEditing(x)}>
                        {t("change")}
                        <span class="vh"> {t("exhibit.n", { n: i + 1 })}</span>
                      </button>
                      <button
                        class="link small"
                        type="button"
                        onClick={() =>
                          void removeExhibit(c.id, x.id).then(
                            () => (toast(t("exhibit.removed")), loaded.again()),
                            () => loaded.again(),
                          )
                        }
                      >
                        {t("exhibit.remove")}
                        <span class="vh"> {t("exhibit.n", { n: i + 1 })}</span>
                      </button>
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      {editing && <Edit caseId={c.id} x={editing} close={() => setEditing(null)} done={loaded.again} />}
      {playing && <Player caseId={c.id} x={playing} close={() => setPlaying(null)} />}
    </section>
  );
}
