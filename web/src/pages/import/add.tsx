/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing recordings in: choose them in the server's inbox or drop them, see what camera and start their names and
 * contents propose, put right what is wrong, then start. */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../http";
import { language, number, t, tOr } from "../../i18n";
import { Icon } from "../../icons";
import { addImport, getInbox, type Inbox, type Plan, type PlanFile, planImport } from "../../office";
import { Dialog } from "../../parts/dialog";
import { MomentField } from "../../parts/fields";
import { Problem, Show, useLoad } from "../../parts/load";
import { toast } from "../../parts/toast";
import { cameraName, errorText, openCase, tz } from "../../state";
import { dateText, dayAndTime, duration } from "../../time";
import { missingOf } from "./check";
import { droppedOf, matchDropped } from "./dropped";

export function bytes(n: number): string {
  const fr = language.value === "fr";
  const units = fr ? ["o", "Kio", "Mio", "Gio", "Tio"] : ["B", "KiB", "MiB", "GiB", "TiB"];
  const i = n > 0 ? Math.min(4, Math.floor(Math.log2(n) / 10)) : 0;
  return `${number(n / 1024 ** i, i > 2 ? 1 : 0)} ${units[i]}`;
}

/* ---- 1. which files ---- */
function Choose(props: { caseId: string; onPaths: (paths: string[]) => void; busy: boolean }): JSX.Element {
  const [path, setPath] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [missing, setMissing] = useState<string[]>([]);
  const [over, setOver] = useState(false);
  const inbox = useLoad<Inbox>((signal) => getInbox(props.caseId, path, signal), [props.caseId, path]);
  const at = (name: string): string => (path ? `${path}/${name}` : name);
  const toggle = (p: string): void => {
    const next = new Set(chosen);
    if (!next.delete(p)) next.add(p);
    setChosen(next);
  };
  const crumbs = path ? path.split("/") : [];
  const row = (name: string, note: string, folder: boolean): JSX.Element => (
    <li key={name}>
      <label>
        <input type="checkbox" checked={chosen.has(at(name))} onChange={() => toggle(at(name))} />
        <Icon name={folder ? "folder" : "file"} />
        <b>{name}</b> <span>{note}</span>
      </label>
      {folder && (
        <button class="link small" type="button" onClick={() => setPath(at(name))}>
          {t("inbox.enter")}
          <span class="vh"> {name}</span>
        </button>
      )}
    </li>
  );
  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        const listing = inbox.data;
        if (!e.dataTransfer || !listing) return;
        void droppedOf(e.dataTransfer.items).then((d) => {
          const m = matchDropped(d, listing);
          setChosen(new Set([...chosen, ...m.found]));
          setMissing(m.missing);
        });
      }}
    >
      <p class="hint">{t("inbox.drop")}</p>
      <Show of={inbox}>
        {(d) => (
          <>
            <nav class="crumbs" aria-label={t("inbox.path")}>
              <button class="link small" type="button" onClick={() => setPath("")}>
                {d.root}
              </button>
              {crumbs.map((c, i) => (
                <span key={c}>
                  {" / "}
                  <button class="link small" type="button" onClick={() => setPath(crumbs.slice(0, i + 1).join("/"))}>
                    {c}
                  </button>
                </span>
              ))}
            </nav>
            <ul class="rows inbox" tabIndex={0} aria-label={t("inbox.files")}>
              {d.folders.map((f) => row(f, "", true))}
              {d.files.map((f) => row(f.name, `${bytes(f.n_bytes)} · ${dayAndTime(f.modified_ms, tz.value, language.value)}`, false))}
              {d.folders.length + d.files.length === 0 && <li class="hint">{t("inbox.empty", { root: d.root })}</li>}
            </ul>
          </>
        )}
      </Show>
      {missing.length > 0 && (
        <p class="refused" role="alert">
          {t("inbox.missing", { what: missing.slice(0, 6).join(", "), root: inbox.data?.root ?? "" })}
        </p>
      )}
      <div class="btns end">
        <span aria-live="polite">{t("inbox.chosen", { n: number(chosen.size) })}</span>
        <button
          class="btn pri"
          type="button"
          disabled={chosen.size === 0 || props.busy}
          aria-busy={props.busy}
          onClick={() => props.onPaths([...chosen])}
        >
          {t(props.busy ? "plan.busy" : "plan.look")}
        </button>
      </div>
    </div>
  );
}

/* ---- 2. what they are ---- */
type Row = PlanFile & { take: boolean; camera: string; start: number | null };
const rowOf = (f: PlanFile): Row => ({
  ...f,
  take: f.problem === "",
  camera: f.camera_id,
  start: f.start_from ? f.start_ms : null,
});
const origin = (from: string): string => tOr(`plan.from.${from || "none"}`, from);

function Confirm(props: { caseId: string; plan: Plan; back: () => void; done: () => void }): JSX.Element {
  const { plan } = props;
  const id = useId();
  const [rows, setRows] = useState<Row[]>(plan.files.map(rowOf));
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const zone = tz.value;
  const lang = language.value;
  const known = new Set(openCase.value?.camera_ids ?? []);
  const put = (i: number, change: Partial<Row>): void => setRows(rows.map((r, k) => (k === i ? { ...r, ...change } : r)));
  const taken = rows.filter((r) => r.take);
  const open = taken.filter((r) => missingOf(r, known).any).length;
  const length = taken.reduce((ms, r) => ms + r.duration_ms, 0);
  const all = (camera: string): void => setRows(rows.map((r) => (r.take && r.camera === "" ? { ...r, camera } : r)));
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const files = taken.flatMap((r) => (r.start === null ? [] : [{ path: r.path, camera_id: r.camera, start_ms: r.start }]));
      const made = await addImport(props.caseId, files);
      toast(t("plan.started", { n: number(made.jobs.length) }));
      props.done();
    } catch (e) {
      setError(asApiError(e));
    } finally {
      setBusy(false);
    }
  };
  const warnings = [
    ...plan.gaps.map((g) => t("plan.gap", { camera: g.camera_id, from: dateText(g.from_ms, zone), length: duration(g.to_ms - g.from_ms, lang) })),
    ...plan.overlaps.map((o) => t("plan.overlap", { files: o.files.join(", "), length: duration(o.to_ms - o.from_ms, lang) })),
    ...plan.twins.map((w) => t("plan.twins", { files: w.files.join(", ") })),
  ];
  return (
    <>
      <datalist id={`${id}-c`}>
        {[...known].map((c) => (
          <option key={c} value={c}>
            {cameraName(c)}
          </option>
        ))}
      </datalist>
      <div class="plan" tabIndex={0} role="group" aria-label={t("plan.files")}>
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{t("import.file")}</th>
              <th scope="col">{t("import.camera")}</th>
              <th scope="col">{t("plan.start")}</th>
              <th scope="col">{t("import.duration")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r, i) => {
              const lack = missingOf(r, known);
              const name = r.path.split("/").at(-1) ?? r.path;
              return (
                <tr key={r.path} class={r.take ? "" : "off"}>
                  <td>
                    <input
                      type="checkbox"
                      checked={r.take}
                      disabled={r.problem !== ""}
                      aria-label={t("plan.take", { what: name })}
                      onChange={(e) => put(i, { take: e.currentTarget.checked })}
                    />
                  </td>
                  <th scope="row" class="ell" title={r.path}>
                    {name}
                    <br />
                    <span class="dim">
                      {bytes(r.n_bytes)} {r.container}
                    </span>
                  </th>
                  {r.problem !== "" && (
                    <td class="err-t" lang="en" colSpan={2}>
                      {r.problem}
                    </td>
                  )}
                  {r.problem === "" && (
                    <td>
                      <input
                        class="fld"
                        list={`${id}-c`}
                        autocomplete="off"
                        maxLength={39}
                        value={r.camera}
                        aria-label={t("plan.camera.of", { what: name })}
                        aria-invalid={lack.camera ? "true" : undefined}
                        onInput={(e) => put(i, { camera: e.currentTarget.value.trim() })}
                      />
                      <span class={lack.camera ? "hint warn-t" : "hint"}>
                        {lack.camera
                          ? t(r.camera === "" ? "plan.camera.none" : "plan.camera.unknown")
                          : r.camera === r.camera_id
                            ? origin(r.camera_from)
                            : t("plan.from.asked")}
                      </span>
                    </td>
                  )}
                  {r.problem === "" && (
                    <td>
                      <MomentField
                        label={t("plan.start.of", { what: name })}
                        bare
                        seconds
                        value={r.start}
                        onValue={(ms) => put(i, { start: ms })}
                        tz={zone}
                        now={openCase.value?.from_ms ?? r.start_ms}
                      />
                      <span class={lack.start || r.doubt ? "hint warn-t" : "hint"}>
                        {lack.start
                          ? t("plan.start.none")
                          : r.doubt
                            ? tOr(`plan.doubt.${r.doubt}`, r.doubt)
                            : r.start === r.start_ms
                              ? origin(r.start_from)
                              : t("plan.from.asked")}
                        {r.clock_offset_ms !== 0 && ` · ${t("plan.offset", { n: number(r.clock_offset_ms / 1000, 1) })}`}
                      </span>
                    </td>
                  )}
                  <td class="nb m">{r.duration_ms > 0 ? duration(r.duration_ms, lang) : "–"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rows.some((r) => r.take && r.camera === "") && (
        <p class="all-of">
          <label for={`${id}-all`}>{t("plan.all")}</label>
          <input id={`${id}-all`} class="fld" list={`${id}-c`} autocomplete="off" onChange={(e) => known.has(e.currentTarget.value) && all(e.currentTarget.value)} />
        </p>
      )}
      {warnings.length > 0 && (
        <ul class="warnings">
          {warnings.slice(0, 8).map((w) => (
            <li key={w}>
              <Icon name="warn" /> {w}
            </li>
          ))}
        </ul>
      )}
      <p aria-live="polite">
        {t("plan.sum", { n: number(taken.length), length: duration(length, lang), need: bytes(plan.need_bytes), free: bytes(plan.free_bytes) })}{" "}
        {plan.eta_ms > 0 && t("plan.eta", { left: duration(plan.eta_ms, lang) })}
      </p>
      {error && (
        <p class="refused" role="alert">
          {errorText(error)}
        </p>
      )}
      <div class="btns end">
        {open > 0 && <span class="warn-t">{t("plan.open", { n: number(open) })}</span>}
        <button class="btn" type="button" onClick={props.back}>
          {t("plan.back")}
        </button>
        <button class="btn pri" type="button" disabled={busy || open > 0 || taken.length === 0} aria-busy={busy} onClick={() => void start()}>
          {t("plan.go")}
        </button>
      </div>
    </>
  );
}

export function AddImport({ caseId, close, done }: { caseId: string; close: () => void; done: () => void }): JSX.Element {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const look = async (paths: string[]): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      setPlan(await planImport(caseId, paths));
    } catch (e) {
      setError(asApiError(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(plan ? "plan.title" : "inbox.title", { id: caseId })} onClose={close} wide>
      {error && <Problem error={error} />}
      {plan ? (
        <Confirm caseId={caseId} plan={plan} back={() => setPlan(null)} done={() => (done(), close())} />
      ) : (
        <Choose caseId={caseId} onPaths={(p) => void look(p)} busy={busy} />
      )}
    </Dialog>
  );
}
