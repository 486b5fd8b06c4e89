/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled fields with their note and their error below; a form's fields look and speak alike everywhere. */
import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { dateText, parseMoment } from "../time";

type Around = {
  label: string;
  note?: string | undefined;
  error?: string | null | undefined;
  /* Not needed: said in the label, so that needed is the rule. */
  optional?: boolean;
  /* Not needed, and nobody would think so: a filter. */
  quiet?: boolean;
  /* In a table, whose heading shows the label. */
  bare?: boolean;
  class?: string;
};

function Wrap(props: Around & { id: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class={`field ${props.class ?? ""}`}>
      <label for={props.id} class={props.bare ? "vh" : ""}>
        {props.label} {props.optional && <i>{t("field.optional")}</i>}
      </label>
      {props.children}
      {props.note && (
        <p class="hint" id={`${props.id}-note`}>
          {props.note}
        </p>
      )}
      {props.error && (
        <p class="hint err-t" id={`${props.id}-error`} role="alert">
          {props.error}
        </p>
      )}
    </div>
  );
}

const describedBy = (id: string, p: Around): string | undefined =>
  [p.note && `${id}-note`, p.error && `${id}-error`].filter(Boolean).join(" ") || undefined;

export function TextField(
  props: Around & {
    value: string;
    onValue: (v: string) => void;
    type?: "text" | "password" | "search";
    autocomplete?: string;
    maxLength?: number;
    inputMode?: "numeric" | "text" | "decimal";
    mono?: boolean;
    focus?: boolean;
    lines?: number;
    placeholder?: string;
    onBlur?: () => void;
  },
): JSX.Element {
  const id = useId();
  /* The attribute serves dialogs; a page that is drawn later has to ask itself. */
  const field = useRef<HTMLElement>(null);
  useEffect(() => {
    if (props.focus) field.current?.focus();
  }, []);
  const common = {
    id,
    autoFocus: props.focus,
    class: props.mono ? "fld mono" : "fld",
    value: props.value,
    maxLength: props.maxLength ?? 120,
    placeholder: props.placeholder,
    required: !props.optional && !props.quiet,
    "aria-invalid": props.error ? ("true" as const) : undefined,
    "aria-describedby": describedBy(id, props),
  };
  return (
    <Wrap {...props} id={id}>
      {props.lines ? (
        <textarea {...common} ref={field as RefObject<HTMLTextAreaElement>} rows={props.lines} onInput={(e) => props.onValue(e.currentTarget.value)} />
      ) : (
        <input
          {...common}
          ref={field as RefObject<HTMLInputElement>}
          type={(props.type ?? "text") as "text"}
          autocomplete={props.autocomplete ?? "off"}
          spellcheck={false}
          inputMode={props.inputMode}
          onInput={(e) => props.onValue(e.currentTarget.value)}
          onBlur={props.onBlur}
        />
      )}
    </Wrap>
  );
}

export function SelectField<V extends string>(
  props: Around & { value: V; onValue: (v: V) => void; options: readonly { value: V; label: string; off?: boolean }[] },
): JSX.Element {
  const id = useId();
  return (
    <Wrap {...props} id={id}>
      <select
        id={id}
        class="fld"
        value={props.value}
        aria-describedby={describedBy(id, props)}
        onChange={(e) => props.onValue(e.currentTarget.value as V)}
      >
        {props.options.map((o) => (
          <option key={o.value} value={o.value} disabled={o.off}>
            {o.label}
          </option>
        ))}
      </select>
    </Wrap>
  );
}

/* dd/mm/yyyy hh:mm in the site's time, as text: the browser's own field follows the browser's language. Gives null
 * while what is typed is no moment. */
export function MomentField(
  props: Around & { value: number | null; onValue: (ms: number | null) => void; tz: string; now: number; seconds?: boolean },
): JSX.Element {
  const id = useId();
  const [text, setText] = useState(props.value === null ? "" : dateText(props.value, props.tz, props.seconds));
  const [touched, setTouched] = useState(false);
  /* A value set from outside (a proposal) is written; one that the person just typed is left as typed. */
  useEffect(() => {
    if (props.value !== null && parseMoment(text, props.tz, props.now) !== props.value)
      setText(dateText(props.value, props.tz, props.seconds));
  }, [props.value, props.tz]);
  const bad = touched && text.trim() !== "" && props.value === null;
  const error = bad ? t("moment.bad", { example: dateText(props.now, props.tz) }) : props.error;
  return (
    <Wrap {...props} id={id} error={error} note={props.note}>
      <input
        id={id}
        class="fld m"
        type="text"
        inputMode="numeric"
        autocomplete="off"
        placeholder={t("moment.placeholder")}
        required={!props.optional && !props.quiet}
        value={text}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={describedBy(id, { ...props, error })}
        onInput={(e) => {
          setText(e.currentTarget.value);
          props.onValue(parseMoment(e.currentTarget.value, props.tz, props.now));
        }}
        onBlur={() => {
          setTouched(true);
          if (props.value !== null) setText(dateText(props.value, props.tz, props.seconds));
        }}
      />
    </Wrap>
  );
}

export function Check(props: {
  label: ComponentChildren;
  checked: boolean;
  onValue: (v: boolean) => void;
  disabled?: boolean;
  note?: string | undefined;
}): JSX.Element {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        aria-describedby={props.note ? `${id}-note` : undefined}
        onChange={(e) => props.onValue(e.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      {props.note && (
        <p class="hint" id={`${id}-note`}>
          {props.note}
        </p>
      )}
    </div>
  );
}
