/* SPDX-License-Identifier: Apache-2.0 */
/* A modal dialog: native, so that focus stays inside and goes back where it came from. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../icons";

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  foot?: ComponentChildren;
  /* Absent: Escape and the cross close it. true: only its own buttons do (what it asks cannot be put off). */
  stays?: boolean;
  wide?: boolean;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = dialog.current;
    if (d && !d.open) d.showModal();
    return () => d?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.wide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(e) => props.stays && e.preventDefault()}
      onClose={(e) => e.target === dialog.current && props.onClose()}
    >
      <header>
        <h2 id={id}>{props.title}</h2>
        {!props.stays && (
          <button class="ib" type="button" aria-label={t("tool.close")} onClick={() => dialog.current?.close()}>
            <Icon name="cross" />
          </button>
        )}
      </header>
      <div class="bd" tabIndex={0}>{props.children}</div>
      {props.foot && <footer>{props.foot}</footer>}
    </dialog>
  );
}
