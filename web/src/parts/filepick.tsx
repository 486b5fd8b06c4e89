/* SPDX-License-Identifier: Apache-2.0 */
/* A document of which only the SHA-256 is kept. Own button: the browser's speaks the browser's language. */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { sha256 } from "../hash";
import { t } from "../i18n";
import { Icon } from "../icons";

const LARGEST_BYTES = 200 * 2 ** 20;

export function HashedDocument(props: {
  label: string;
  hash: string;
  onHash: (hash: string) => void;
  error?: string | null;
}): JSX.Element {
  const id = useId();
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setProblem(null);
    if (file.size > LARGEST_BYTES) return setProblem(t("document.large"));
    try {
      props.onHash(await sha256(file));
      setName(file.name);
    } catch {
      props.onHash("");
      setProblem(t("document.unreadable", { name: file.name }));
    }
  };
  const error = problem ?? props.error;
  return (
    <div class="field">
      <span class="lbl" id={`${id}-l`}>
        {props.label}
      </span>
      <div class="filepick">
        <input
          id={id}
          class="vh"
          type="file"
          accept="application/pdf,.pdf"
          aria-labelledby={`${id}-l ${id}-b`}
          aria-describedby={`${id}-n`}
          aria-invalid={error ? "true" : undefined}
          onChange={(e) => void take(e.currentTarget.files?.[0])}
        />
        <label class="btn" for={id} id={`${id}-b`}>
          <Icon name="file" /> {t(props.hash ? "document.other" : "document.choose")}
        </label>
        <span class="ell">{name}</span>
      </div>
      <p class="hint" id={`${id}-n`}>
        {props.hash ? (
          <>
            SHA-256 <span class="mono">{props.hash}</span>
          </>
        ) : (
          t("document.note")
        )}
      </p>
      {error && (
        <p class="hint err-t" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
