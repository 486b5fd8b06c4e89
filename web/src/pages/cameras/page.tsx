/* SPDX-License-Identifier: Apache-2.0 */
/* Caméras: where they stand and look, whose clock is wrong, which have nothing recorded, in which groups they are,
 * and which of them the open case allows. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { language, number, t } from "../../i18n";
import { Icon } from "../../icons";
import { CameraMap } from "../../map/cameras";
import {
  addGroup,
  type Camera,
  type CameraColumns,
  type CameraGroup,
  changeGroup,
  getCameras,
  getGroups,
  removeGroup,
} from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act, Show, useLoad } from "../../parts/load";
import { toast } from "../../parts/toast";
import { may } from "../../session";
import { openCase, refreshBoot, tz } from "../../state";
import "../../styles/office.css";
import { day } from "../../time";
import { matches } from "../../words";
import { CameraEditor } from "./editor";

/* A clock this far off is told apart: two seconds is what an operator notices between two cameras. */
const OFF_MS = 2000;
const ROWS = 100;

const cameraAt = (c: CameraColumns, i: number): Camera => ({
  id: c.id[i] ?? "",
  name: c.name[i] ?? "",
  lat: c.lat[i] ?? 0,
  lon: c.lon[i] ?? 0,
  heading_deg: c.heading_deg[i] ?? -1,
  fov_deg: c.fov_deg[i] ?? -1,
  clock_offset_ms: c.clock_offset_ms[i] ?? 0,
  retention_days: c.retention_days?.[i] ?? 0,
});

const offsetText = (ms: number): string => (ms === 0 ? "0" : `${ms > 0 ? "+" : "−"}${number(Math.abs(ms) / 1000, Math.abs(ms) % 1000 ? 1 : 0)} s`);

function GroupDialog({ of, ids, close, done }: { of: CameraGroup | null; ids: string[]; close: () => void; done: () => void }): JSX.Element {
  const [name, setName] = useState(of?.name ?? "");
  return (
    <Dialog title={t(of ? "group.edit" : "group.new")} onClose={close}>
      <Act
        go={t("password.go")}
        cancel={close}
        act={async () => {
          if (name.trim() === "") return;
          if (of) await changeGroup(of.id, { name: name.trim(), camera_ids: ids });
          else await addGroup(name.trim(), ids);
          toast(t("group.saved", { name: name.trim() }));
          done();
          close();
        }}
      >
        <TextField label={t("group.name")} value={name} onValue={setName} maxLength={80} focus />
        <p>{t("group.holds", { n: number(ids.length) })}</p>
      </Act>
    </Dialog>
  );
}

function Groups(props: {
  items: CameraGroup[];
  chosen: ReadonlySet<string>;
  onChoose: (ids: readonly string[]) => void;
  again: () => void;
}): JSX.Element {
  const [editing, setEditing] = useState<{ of: CameraGroup | null } | null>(null);
  const mayEdit = may("camera_edit");
  return (
    <section class="pan" aria-labelledby="groups-title" tabIndex={0}>
      <div class="pan-hd">
        <h2 id="groups-title">{t("group.title")}</h2>
        {mayEdit && props.chosen.size > 0 && (
          <button class="btn small" type="button" onClick={() => setEditing({ of: null })}>
            <Icon name="plus" /> {t("group.from", { n: number(props.chosen.size) })}
          </button>
        )}
      </div>
      {props.items.length === 0 && <p class="dim">{t(mayEdit ? "group.none" : "group.none.reader")}</p>}
      <ul class="groups">
        {props.items.map((g) => (
          <li key={g.id}>
            <button class="link" type="button" onClick={() => props.onChoose(g.camera_ids)}>
              {g.name}
            </button>
            <span class="dim">{t("result.cameras.n", { n: number(g.camera_ids.length) })}</span>
            {mayEdit && (
              <span>
                {props.chosen.size > 0 && (
                  <button class="link small" type="button" onClick={() => setEditing({ of: g })}>
                    {t("group.replace", { n: number(props.chosen.size) })}
                    <span class="vh"> {g.name}</span>
                  </button>
                )}
                <button
                  class="link small"
                  type="button"
                  onClick={() => void removeGroup(g.id).then(() => (toast(t("group.removed", { name: g.name })), props.again()), props.again)}
                >
                  {t("group.remove")}
                  <span class="vh"> {g.name}</span>
                </button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {editing && (
        <GroupDialog of={editing.of} ids={[...props.chosen]} close={() => setEditing(null)} done={props.again} />
      )}
    </section>
  );
}

type Only = "all" | "clock" | "unplaced" | "empty";

function Body({ c, again }: { c: CameraColumns; again: () => void }): JSX.Element {
  const perimeter = openCase.value;
  const [filter, setFilter] = useState("");
  const [only, setOnly] = useState<Only>("all");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(perimeter?.camera_ids ?? []));
  const [editing, setEditing] = useState<Camera | "new" | null>(null);
  const groups = useLoad<{ items: CameraGroup[] }>(getGroups, []);
  const mayEdit = may("camera_edit");
  const is = useMemo(() => {
    const all = c.id.map((_, i) => i);
    const recorded = c.last_recorded_ms;
    return {
      clock: new Set(all.filter((i) => Math.abs(c.clock_offset_ms[i] ?? 0) > OFF_MS)),
      unplaced: new Set(all.filter((i) => !c.lat[i] && !c.lon[i])),
      empty: new Set(recorded ? all.filter((i) => !recorded[i]) : []),
    };
  }, [c]);
  const late = useMemo(() => new Set([...is.clock].map((i) => c.id[i] ?? "")), [is, c]);
  const found = c.id.flatMap((id, i) =>
    (only === "all" || is[only].has(i)) && matches(`${id} ${c.name[i]}`, filter) ? [i] : [],
  );
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const kp = (name: Only, value: number): JSX.Element => (
    <div>
      <dt>{t(`site.${name}`)}</dt>
      <dd>
        <button class="kp-b" type="button" aria-pressed={only === name} onClick={() => setOnly(only === name ? "all" : name)}>
          <span class={name !== "all" && value > 0 ? "warn-t" : ""}>{number(value)}</span>
          <span class="vh"> {t("cameras.show")}</span>
        </button>
      </dd>
    </div>
  );
  return (
    <>
      <div class="hd">
        <h1>{t("nav.cameras")}</h1>
        {perimeter && (
          <span class="tag seal">{t("cameras.perimeter", { id: perimeter.id, n: number(perimeter.camera_ids.length) })}</span>
        )}
        <span class="sp" />
        <label class="vh" for="camera-filter">
          {t("site.filter")}
        </label>
        <input
          id="camera-filter"
          class="fld filter"
          type="search"
          autocomplete="off"
          placeholder={t("site.filter")}
          value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
        {mayEdit && (
          <button class="btn pri" type="button" onClick={() => setEditing("new")}>
            <Icon name="plus" /> {t("camera.add")}
          </button>
        )}
      </div>
      {c.id.length === 0 ? (
        <div class="notice">
          <Icon name="cameras" />
          <h2>{t("site.none")}</h2>
          <p>{t(mayEdit ? "cameras.none.text" : "cameras.none.reader")}</p>
        </div>
      ) : (
        <>
          <dl class="kp">
            {kp("all", c.id.length)}
            {kp("clock", is.clock.size)}
            {kp("unplaced", is.unplaced.size)}
            {c.last_recorded_ms && kp("empty", is.empty.size)}
          </dl>
          <div class="cam-cols">
            <div>
              <section class="pan" aria-labelledby="map-title">
                <div class="pan-hd">
                  <h2 id="map-title">{t("site.map")}</h2>
                  <span aria-live="polite">{t("cameras.chosen", { n: number(chosen.size) })}</span>
                  <button class="link small" type="button" onClick={() => setChosen(new Set())}>
                    {t("cameras.clear")}
                  </button>
                  {perimeter && (
                    <button class="link small" type="button" onClick={() => setChosen(new Set(perimeter.camera_ids))}>
                      {t("cameras.perimeter.show")}
                    </button>
                  )}
                </div>
                <CameraMap
                  cameras={c}
                  chosen={chosen}
                  marked={late}
                  onPick={toggle}
                  onLasso={(ids) => setChosen(new Set([...chosen, ...ids]))}
                />
                <p class="hint">{t("cameras.map.note")}</p>
              </section>
              <Show of={groups}>
                {({ items }) => (
                  <Groups items={items} chosen={chosen} onChoose={(ids) => setChosen(new Set(ids))} again={groups.again} />
                )}
              </Show>
            </div>
            <section class="pan" aria-labelledby="list-title" tabIndex={0}>
              <h2 id="list-title">
                {t("cameras.list")} <span class="dim">{number(found.length)}</span>
              </h2>
              <table>
                <thead>
                  <tr>
                    <td />
                    <th scope="col">{t("import.camera")}</th>
                    <th scope="col" class="r">
                      {t("cameras.offset")}
                    </th>
                    <th scope="col">{t("cameras.last")}</th>
                  </tr>
                </thead>
                <tbody>
                  {found.slice(0, ROWS).map((i) => {
                    const camera = cameraAt(c, i);
                    const last = c.last_recorded_ms?.[i] ?? 0;
                    return (
                      <tr key={camera.id}>
                        <td>
                          <input
                            type="checkbox"
                            checked={chosen.has(camera.id)}
                            aria-label={t("cameras.choose", { id: camera.id })}
                            onChange={() => toggle(camera.id)}
                          />
                        </td>
                        <th scope="row" class="ell" title={camera.name}>
                          {mayEdit ? (
                            <button class="link" type="button" onClick={() => setEditing(camera)}>
                              {camera.id}
                            </button>
                          ) : (
                            camera.id
                          )}
                          <br />
                          <span class="dim plain-w">{camera.name}</span>
                        </th>
                        <td class={`nb m r ${is.clock.has(i) ? "warn-t" : ""}`}>{offsetText(camera.clock_offset_ms)}</td>
                        <td class="nb m">{last ? day(last, tz.value, language.value) : "–"}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
              {found.length > ROWS && <p class="hint">{t("pick.more", { n: number(found.length - ROWS) })}</p>}
              {found.length === 0 && <p class="dim">{t("pick.nothing")}</p>}
            </section>
          </div>
        </>
      )}
      {editing && (
        <CameraEditor
          of={editing === "new" ? null : editing}
          close={() => setEditing(null)}
          done={() => {
            again();
            void refreshBoot();
          }}
        />
      )}
    </>
  );
}

export function CamerasPage(): JSX.Element {
  const cameras = useLoad<CameraColumns>(getCameras, []);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <Show of={cameras}>{(c) => <Body c={c} again={cameras.again} />}</Show>
    </main>
  );
}
