/* SPDX-License-Identifier: Apache-2.0 */
/* Which cameras are asked: saved groups, a lasso on the map, or the list. None chosen means all of the case. */
import { computed, effect, signal, untracked } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../http";
import { number, t } from "../i18n";
import type { CameraMap, Spot } from "../map/map";
import { boot, cameraName, openCase } from "../state";
import { Icon } from "../icons";
import { cameras, setCameras, toggleCamera } from "./question";

/* A list of 5,000 buttons would be slow to draw and useless to read: the rest is found by typing. */
const LISTED = 40;

type Group = { id: number; name: string; camera_ids: string[] };
const groups = signal<readonly Group[]>([]);
const site = computed(() => boot.value !== null && openCase.value !== null);
effect(() => {
  if (!site.value) return;
  untracked(() => {
    void get<{ items: Group[] }>("/camera-groups").then(
      (g) => (groups.value = g.items),
      () => undefined /* no groups are saved, or this server has none: the list and the map remain */,
    );
  });
});

const plain = (s: string): string => s.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function Groups({ ids }: { ids: readonly string[] }): JSX.Element | null {
  const inCase = new Set(ids);
  const list = groups.value
    .map((g) => ({ ...g, camera_ids: g.camera_ids.filter((id) => inCase.has(id)) }))
    .filter((g) => g.camera_ids.length > 0);
  if (list.length === 0) return null;
  const chosen = cameras.value;
  return (
    <div class="groups" role="group" aria-label={t("cameras.groups")}>
      {list.map((g) => {
        const on = chosen.size === g.camera_ids.length && g.camera_ids.every((id) => chosen.has(id));
        return (
          <button key={g.id} class="opt" type="button" aria-pressed={on} onClick={() => setCameras(on ? [] : g.camera_ids)}>
            <span>{g.name}</span> <i>{number(g.camera_ids.length)}</i>
          </button>
        );
      })}
    </div>
  );
}

type MapModule = { CameraMap: typeof CameraMap; spotsOf: (ids: readonly string[]) => Spot[] };

/* Fetched after the results are there: the first answer does not wait for the drawing. */
function Lasso({ ids }: { ids: readonly string[] }): JSX.Element | null {
  const [module, setModule] = useState<MapModule | null>(null);
  const [spots, setSpots] = useState<Spot[]>([]);
  useEffect(() => {
    void import("../map/map").then(setModule);
  }, []);
  useEffect(() => {
    if (module) setSpots(module.spotsOf(ids));
  }, [module, ids]);
  if (!module || spots.length < 2) return null;
  const Drawn: ComponentType<Parameters<typeof CameraMap>[0]> = module.CameraMap;
  const chosen = cameras.value;
  return (
    <div class="small-map">
      <Drawn
        spots={spots}
        height={640}
        chosen={chosen.size > 0 ? chosen : new Set(ids)}
        label={t("cameras.map", { n: number(spots.length) })}
        onLasso={(found, more) => setCameras(more ? [...chosen, ...found] : found)}
        onPick={(id) => toggleCamera(id)}
      />
    </div>
  );
}

export function CameraFacet(): JSX.Element | null {
  const c = openCase.value;
  const [typed, setTyped] = useState("");
  if (!c || c.camera_ids.length < 2) return null;
  const chosen = cameras.value;
  const wanted = plain(typed.trim());
  const fitting = wanted
    ? c.camera_ids.filter((id) => plain(`${id} ${cameraName(id)}`).includes(wanted))
    : [...c.camera_ids.filter((id) => chosen.has(id)), ...c.camera_ids.filter((id) => !chosen.has(id))];
  const many = c.camera_ids.length > 8;
  return (
    <section aria-labelledby="facet-cameras">
      <h2 id="facet-cameras">
        {t("facet.cameras")}{" "}
        <span>
          {number(chosen.size || c.camera_ids.length)} / {number(c.camera_ids.length)}
        </span>
      </h2>
      <Groups ids={c.camera_ids} />
      <Lasso ids={c.camera_ids} />
      {chosen.size > 0 && (
        <button class="link" type="button" onClick={() => setCameras([])}>
          {t("cameras.all")}
        </button>
      )}
      {many && (
        <div class="filter">
          <Icon name="search" />
          <input
            class="fld"
            type="text"
            aria-label={t("cameras.filter")}
            placeholder={t("cameras.filter")}
            value={typed}
            onInput={(e) => setTyped(e.currentTarget.value)}
          />
        </div>
      )}
      <div class="opts one">
        {fitting.slice(0, LISTED).map((id) => (
          <button key={id} type="button" class="opt" aria-pressed={chosen.has(id)} onClick={() => toggleCamera(id)}>
            <b>{id}</b> <span title={cameraName(id)}>{cameraName(id)}</span>
          </button>
        ))}
      </div>
      {fitting.length > LISTED && <p class="hint">{t("cameras.more", { n: number(fitting.length - LISTED) })}</p>}
      {fitting.length === 0 && <p class="hint">{t("cameras.none")}</p>}
    </section>
  );
}
