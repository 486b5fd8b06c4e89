/* SPDX-License-Identifier: Apache-2.0 */
/* An area drawn on a camera's picture: whoever sets foot in it is found. By mouse a click per corner; by keyboard the
 * arrows move a cross, Enter sets a corner, Backspace takes the last one back. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { frameUrl } from "../api";
import { number, t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { cameraName, openCase } from "../state";
import { areaShown } from "./acts";
import { area, search, selected } from "./question";

const MOST = 16;
const LEAST = 3;
const STEP = 0.02;

type Corner = [number, number];
const clamp = (v: number): number => Math.min(1, Math.max(0, v));

export function AreaDialog(): JSX.Element | null {
  const c = openCase.value;
  const s = selected.value;
  const [points, setPoints] = useState<Corner[]>(() => (area.value?.camera_id === s?.camera_id ? (area.value?.points ?? []) : []));
  const [cross, setCross] = useState<Corner>([0.5, 0.5]);
  const [keys, setKeys] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const close = (): void => {
    areaShown.value = false;
  };
  if (!c || !s) return null;
  const add = (p: Corner): void => {
    if (points.length < MOST) setPoints([...points, p]);
  };
  const back = (): void => setPoints(points.slice(0, -1));
  const ready = points.length >= LEAST;
  const ask = (): void => {
    area.value = { camera_id: s.camera_id, points: points.map(([x, y]) => [Number(x.toFixed(4)), Number(y.toFixed(4))]) };
    close();
    void search();
  };
  const arrows: Record<string, Corner> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  const onKey = (e: KeyboardEvent): void => {
    const by = arrows[e.key];
    setKeys(true);
    if (by) setCross([clamp(cross[0] + by[0]), clamp(cross[1] + by[1])]);
    else if (e.key === "Enter" || e.key === " ") add(cross);
    else if (e.key === "Backspace") back();
    else return;
    e.preventDefault();
  };
  const path = points.map(([x, y]) => `${(x * 1000).toFixed(0)},${(y * 1000).toFixed(0)}`).join(" ");
  return (
    <Dialog
      title={t("area.title", { camera: `${s.camera_id} ${cameraName(s.camera_id)}` })}
      onClose={close}
      wide
      foot={
        <>
          <button class="btn" type="button" disabled={points.length === 0} onClick={back}>
            {t("area.back")}
          </button>
          <button class="btn" type="button" disabled={points.length === 0} onClick={() => setPoints([])}>
            {t("area.clear")}
          </button>
          <span class="sp" />
          <button class="btn" type="button" onClick={close}>
            {t("cancel")}
          </button>
          <button class="btn pri" type="button" disabled={!ready} onClick={ask}>
            {t("area.ask")}
          </button>
        </>
      }
    >
      <p class="hint" id="area-how">
        {t("area.how")}
      </p>
      <div
        ref={box}
        class="draw"
        style={s.picture ? { aspectRatio: `${s.picture.w_px} / ${s.picture.h_px}`, maxWidth: `${(54 * s.picture.w_px) / s.picture.h_px}vh` } : undefined}
        autofocus
        role="application"
        aria-label={t("area.picture")}
        aria-describedby="area-how"
        tabIndex={0}
        onKeyDown={onKey}
        onClick={(e) => {
          const r = box.current?.getBoundingClientRect();
          if (r) add([clamp((e.clientX - r.left) / r.width), clamp((e.clientY - r.top) / r.height)]);
        }}
      >
        <img src={frameUrl(c.id, s.id)} alt="" />
        <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
          <polygon points={path} />
          {keys && (
            <path d={`M${cross[0] * 1000 - 24} ${cross[1] * 1000}h48M${cross[0] * 1000} ${cross[1] * 1000 - 30}v60`} />
          )}
        </svg>
        {points.map(([x, y], i) => (
          <i key={i} style={{ left: `${x * 100}%`, top: `${y * 100}%` }} />
        ))}
      </div>
      <p class="hint" role="status">
        {t("area.count", { n: number(points.length), least: LEAST })}
        {keys && ` ${t("area.cross", { x: number(cross[0] * 100), y: number(cross[1] * 100) })}`}
      </p>
    </Dialog>
  );
}
