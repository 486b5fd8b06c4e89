/* SPDX-License-Identifier: Apache-2.0 */
/* One camera: where it stands, where it looks, how wrong its clock is. A change of the clock is a dated act with its
 * reason, because every time in every case rests on it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { language, number, t } from "../../i18n";
import { addCamera, type Camera, changeCamera } from "../../office";
import { Dialog } from "../../parts/dialog";
import { TextField } from "../../parts/fields";
import { Act } from "../../parts/load";
import { toast } from "../../parts/toast";
import { offsetFrom, secondsOf } from "./clock";

const decimal = (n: number): string =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: 6, useGrouping: false }).format(n);
const numberOf = (text: string): number | null => {
  const s = text.trim().replace(/\u2212/g, "-").replace(",", ".");
  return /^-?\d{1,3}(\.\d+)?$/.test(s) ? Number(s) : null;
};
const within = (n: number | null, low: number, high: number): boolean => n !== null && n >= low && n <= high;

export function CameraEditor({ of, close, done }: { of: Camera | null; close: () => void; done: () => void }): JSX.Element {
  const unknown = (n: number): string => (n < 0 ? "" : String(n));
  const [id, setId] = useState(of?.id ?? "");
  const [name, setName] = useState(of?.name ?? "");
  const [lat, setLat] = useState(of && (of.lat || of.lon) ? decimal(of.lat) : "");
  const [lon, setLon] = useState(of && (of.lat || of.lon) ? decimal(of.lon) : "");
  const [heading, setHeading] = useState(unknown(of?.heading_deg ?? -1));
  const [fov, setFov] = useState(unknown(of?.fov_deg ?? -1));
  const [offset, setOffset] = useState(decimal((of?.clock_offset_ms ?? 0) / 1000));
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState("");
  const [truth, setTruth] = useState("");
  const [days, setDays] = useState(of?.retention_days ? String(of.retention_days) : "");
  const [fault, setFault] = useState<string | null>(null);
  const found = offsetFrom(shown, truth);
  const offsetMs = secondsOf(offset);
  const clockChanged = of !== null && offsetMs !== null && offsetMs !== of.clock_offset_ms;
  const save = async (): Promise<void> => {
    setFault(null);
    const place = lat.trim() === "" && lon.trim() === "" ? { lat: 0, lon: 0 } : { lat: numberOf(lat), lon: numberOf(lon) };
    const head = heading.trim() === "" ? -1 : numberOf(heading);
    const angle = fov.trim() === "" ? -1 : numberOf(fov);
    const keep = days.trim() === "" ? 0 : numberOf(days);
    if (!of && !/^[A-Za-z0-9._-]+$/.test(id)) return setFault(t("camera.id.bad"));
    if (name.trim() === "") return setFault(t("camera.name.missing"));
    if (!within(place.lat, -90, 90) || !within(place.lon, -180, 180)) return setFault(t("camera.place.bad"));
    if (!within(head, -1, 359) || !within(angle, -1, 360)) return setFault(t("camera.view.bad"));
    if (!within(keep, 0, 30)) return setFault(t("camera.days.bad"));
    if (offsetMs === null) return setFault(t("camera.offset.bad"));
    if (clockChanged && reason.trim() === "") return setFault(t("camera.reason.missing"));
    const change = {
      name: name.trim(),
      lat: place.lat ?? 0,
      lon: place.lon ?? 0,
      heading_deg: Math.round(head ?? -1),
      fov_deg: Math.round(angle ?? -1),
      retention_days: Math.round(keep ?? 0),
    };
    if (of) await changeCamera(of.id, { ...change, ...(clockChanged ? { clock_offset_ms: offsetMs, reason: reason.trim() } : {}) });
    else await addCamera({ id, ...change, clock_offset_ms: offsetMs });
    toast(t("camera.saved", { id: of?.id ?? id }));
    done();
    close();
  };
  return (
    <Dialog title={of ? t("camera.edit", { id: of.id }) : t("camera.add")} onClose={close}>
      <Act go={t("password.go")} cancel={close} act={save} fault={fault}>
        <div class="pair">
          {!of && <TextField label={t("camera.id")} note={t("users.login.note")} value={id} onValue={setId} maxLength={39} mono focus />}
          <TextField label={t("camera.name")} value={name} onValue={setName} maxLength={127} focus={of !== null} />
          <TextField label={t("camera.lat")} value={lat} onValue={setLat} inputMode="decimal" maxLength={14} optional />
          <TextField label={t("camera.lon")} value={lon} onValue={setLon} inputMode="decimal" maxLength={14} optional />
          <TextField label={t("camera.heading")} note={t("camera.heading.note")} value={heading} onValue={setHeading} inputMode="numeric" maxLength={3} optional />
          <TextField label={t("camera.fov")} value={fov} onValue={setFov} inputMode="numeric" maxLength={3} optional />
          <TextField label={t("camera.days")} note={t("camera.days.note")} value={days} onValue={setDays} inputMode="numeric" maxLength={2} optional />
          <TextField label={t("camera.offset")} note={t("camera.offset.note")} value={offset} onValue={setOffset} inputMode="decimal" maxLength={12} />
        </div>
        {clockChanged && <TextField label={t("camera.reason")} value={reason} onValue={setReason} maxLength={300} />}
        <details>
          <summary>{t("camera.compute")}</summary>
          <div class="pair">
            <TextField label={t("camera.shown")} value={shown} onValue={setShown} placeholder="14:07:12" maxLength={12} quiet />
            <TextField label={t("camera.truth")} value={truth} onValue={setTruth} placeholder="14:07:05" maxLength={12} quiet />
          </div>
          <p aria-live="polite">
            {found !== null && (
              <>
                {t("camera.found", { n: number(found / 1000, found % 1000 ? 3 : 0) })}{" "}
                <button class="btn small" type="button" onClick={() => setOffset(decimal(found / 1000))}>
                  {t("camera.take")}
                </button>
              </>
            )}
          </p>
        </details>
      </Act>
    </Dialog>
  );
}
