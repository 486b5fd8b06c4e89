/* SPDX-License-Identifier: Apache-2.0 */
/* The switches of a case: each one ticked quotes the words of the requisition that support it. Pasting the
 * requisition's text offers its lines, so that quoting is choosing. */
import type { JSX } from "preact";
import { useId, useMemo, useState } from "preact/hooks";
import { type Criterion, criteria } from "../../criteria";
import { t } from "../../i18n";

export type Lines = Readonly<Partial<Record<Criterion, string>>>;

export function CriteriaFields(props: {
  lines: Lines;
  onLines: (lines: Lines) => void;
  fixed?: ReadonlySet<string>;
  tried: boolean;
}): JSX.Element {
  const id = useId();
  const [text, setText] = useState("");
  const offered = useMemo(
    () => [...new Set(text.split(/\n+|(?<=[.;])\s+/).map((l) => l.trim()).filter((l) => l.length > 3))].slice(0, 200),
    [text],
  );
  const { lines } = props;
  const set = (key: Criterion, line: string | undefined): void => {
    const next = { ...lines };
    if (line === undefined) delete next[key];
    else next[key] = line;
    props.onLines(next);
  };
  return (
    <>
      <div class="field">
        <label for={`${id}-t`}>
          {t("criteria.text")} <i>{t("field.optional")}</i>
        </label>
        <textarea
          id={`${id}-t`}
          class="fld"
          rows={3}
          value={text}
          aria-describedby={`${id}-n`}
          onInput={(e) => setText(e.currentTarget.value)}
        />
        <p class="hint" id={`${id}-n`}>
          {t("criteria.text.note")}
        </p>
      </div>
      <datalist id={`${id}-l`}>
        {offered.map((l) => (
          <option key={l} value={l} />
        ))}
      </datalist>
      <ul class="criteria">
        {criteria
          .filter((c) => !props.fixed?.has(c.key))
          .map(({ key, site }) => {
            const line = lines[key];
            const on = line !== undefined;
            const missing = props.tried && on && line.trim() === "";
            return (
              <li key={key} class={on ? "on" : ""}>
                <label>
                  <input type="checkbox" checked={on} onChange={(e) => set(key, e.currentTarget.checked ? "" : undefined)} />
                  <span>
                    {t(`criterion.${key}`)}
                    {site && <small class="warn-t"> {t("criteria.site")}</small>}
                  </span>
                </label>
                {on && (
                  <span class="quote">
                    <input
                      class="fld"
                      type="text"
                      autocomplete="off"
                      maxLength={300}
                      list={offered.length ? `${id}-l` : undefined}
                      value={line}
                      aria-label={t("criteria.line", { what: t(`criterion.${key}`) })}
                      aria-invalid={missing ? "true" : undefined}
                      placeholder={t("criteria.line.hint")}
                      onInput={(e) => set(key, e.currentTarget.value)}
                    />
                    {missing && (
                      <span class="hint err-t" role="alert">
                        {t("criteria.line.missing")}
                      </span>
                    )}
                  </span>
                )}
              </li>
            );
          })}
      </ul>
    </>
  );
}

export const linesOf = (l: Lines): { key: string; line: string }[] =>
  criteria.flatMap(({ key }) => {
    const line = l[key];
    return line === undefined ? [] : [{ key, line: line.trim() }];
  });
