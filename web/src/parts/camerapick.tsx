/* SPDX-License-Identifier: Apache-2.0 */
/* Which cameras: by filter, by group, by a list of numbers pasted from the requisition, or around dots on the map. */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { number, t } from "../i18n";
import { CameraMap } from "../map/cameras";
import { type CameraGroup, getGroups } from "../office";
import { boot } from "../state";
import { matches } from "../words";
import { useLoad } from "./load";

/* Thousands of rows help nobody: the filter narrows, the rest is counted. */
const ROWS = 100;

export function CameraPick(props: {
  chosen: ReadonlySet<string>;
  onChosen: (ids: ReadonlySet<string>) => void;
  /* Already allowed: shown, and not to be taken away. */
  fixed?: ReadonlySet<string>;
  error?: string | null;
}): JSX.Element {
  const id = useId();
  const [filter, setFilter] = useState("");
  const [unknown, setUnknown] = useState<string[]>([]);
  const groups = useLoad<{ items: CameraGroup[] }>(getGroups, []);
  const cameras = boot.value?.cameras;
  if (!cameras) return <></>;
  const { chosen, fixed } = props;
  const found = cameras.id.flatMap((c, i) => (matches(`${c} ${cameras.name[i]}`, filter) ? [i] : []));
  const add = (ids: readonly string[]): void => props.onChosen(new Set([...chosen, ...ids]));
  const take = (ids: readonly string[]): void => {
    const gone = new Set(ids);
    props.onChosen(new Set([...chosen].filter((c) => !gone.has(c) || fixed?.has(c))));
  };
  const pasted = (text: string): void => {
    const words = text.split(/[\s,;]+/).filter(Boolean);
    const known = new Set(cameras.id);
    setUnknown(words.filter((w) => !known.has(w)));
    add(words.filter((w) => known.has(w)));
  };
  const foundIds = found.flatMap((i) => cameras.id[i] ?? []);
  const allFound = foundIds.length > 0 && foundIds.every((c) => chosen.has(c));
  return (
    <div class="pick" role="group" aria-labelledby={`${id}-t`}>
      <p class="pick-n" id={`${id}-t`} aria-live="polite">
        {t("pick.count", { n: number(chosen.size), total: number(cameras.id.length) })}
      </p>
      <div class="pick-cols">
        <div class="pick-list">
          <label class="vh" for={`${id}-f`}>
            {t("pick.filter")}
          </label>
          <input
            id={`${id}-f`}
            class="fld"
            type="search"
            autocomplete="off"
            placeholder={t("pick.filter")}
            value={filter}
            aria-invalid={props.error ? "true" : undefined}
            aria-describedby={props.error ? `${id}-e` : undefined}
            onInput={(e) => setFilter(e.currentTarget.value)}
            onPaste={(e) => {
              const text = e.clipboardData?.getData("text") ?? "";
              if (!/[\n,;\t]/.test(text)) return;
              e.preventDefault();
              pasted(text);
            }}
          />
          <div class="chips">
            <button class="btn small" type="button" onClick={() => (allFound ? take(foundIds) : add(foundIds))}>
              {t(allFound ? "pick.none" : "pick.all", { n: number(foundIds.length) })}
            </button>
            {groups.data?.items.map((g) => {
              const all = g.camera_ids.every((c) => chosen.has(c));
              return (
                <button
                  key={g.id}
                  class="btn small"
                  type="button"
                  aria-pressed={all}
                  onClick={() => (all ? take(g.camera_ids) : add(g.camera_ids))}
                >
                  {g.name} · {number(g.camera_ids.length)}
                </button>
              );
            })}
          </div>
          <ul class="rows" tabIndex={0} aria-label={t("nav.cameras")}>
            {found.slice(0, ROWS).map((i) => {
              const c = cameras.id[i] ?? "";
              return (
                <li key={c}>
                  <label>
                    <input
                      type="checkbox"
                      checked={chosen.has(c)}
                      disabled={fixed?.has(c)}
                      onChange={(e) => (e.currentTarget.checked ? add([c]) : take([c]))}
                    />
                    <b>{c}</b> <span>{cameras.name[i]}</span>
                  </label>
                </li>
              );
            })}
            {found.length > ROWS && <li class="hint">{t("pick.more", { n: number(found.length - ROWS) })}</li>}
            {found.length === 0 && <li class="hint">{t("pick.nothing")}</li>}
          </ul>
        </div>
        <CameraMap
          cameras={cameras}
          chosen={chosen}
          onPick={(c) => (chosen.has(c) ? take([c]) : add([c]))}
          onLasso={add}
        />
      </div>
      <p class="hint">{t("pick.note")}</p>
      {unknown.length > 0 && (
        <p class="hint warn-t" role="alert">
          {t("pick.unknown", { what: unknown.slice(0, 12).join(", ") })}
        </p>
      )}
      {props.error && (
        <p class="hint err-t" id={`${id}-e`} role="alert">
          {props.error}
        </p>
      )}
    </div>
  );
}
