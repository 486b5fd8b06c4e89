/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the sentence and is fetched as code when first asked for: the witness's form, the kept searches,
 * the drawn area. */
import { type Signal, signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../icons";
import { may } from "../session";
import { areaShown } from "./acts";

export const witnessShown = signal(false);
export const savedShown = signal(false);

function Later({ shown, load }: { shown: Signal<boolean>; load: () => Promise<ComponentType> }): JSX.Element | null {
  const [found, setFound] = useState<ComponentType | null>(null);
  const on = shown.value;
  useEffect(() => {
    if (on && !found) void load().then((c) => setFound(() => c));
  }, [on]);
  const Found = found;
  return on && Found ? <Found /> : null;
}

const witness = (): Promise<ComponentType> => import("./witness_form").then((m) => m.WitnessForm);
const saved = (): Promise<ComponentType> => import("./saved").then((m) => m.SavedDialog as ComponentType);
const area = (): Promise<ComponentType> => import("./area").then((m) => m.AreaDialog as ComponentType);

export function Tools(): JSX.Element {
  return (
    <>
      <button class="btn" type="button" onClick={() => (witnessShown.value = true)}>
        <Icon name="ear" /> <span class="long">{t("witness.open")}</span>
      </button>
      {may("search") && (
        <button class="btn" type="button" onClick={() => (savedShown.value = true)}>
          <Icon name="star" /> <span class="long">{t("saved.open")}</span>
        </button>
      )}
      <Later shown={witnessShown} load={witness} />
      <Later shown={savedShown} load={saved} />
      <Later shown={areaShown} load={area} />
    </>
  );
}
