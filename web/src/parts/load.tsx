/* SPDX-License-Identifier: Apache-2.0 */
/* What a page asked for: still coming, here, or failed with what to do. Old data stays shown while newer is asked. */
import type { ComponentChildren, JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, line } from "../http";
import { t } from "../i18n";
import { errorText } from "../state";

export type Loaded<T> = { data: T | null; error: ApiError | null; busy: boolean; again: () => void };

export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; error: ApiError | null; busy: boolean }>({
    data: null,
    error: null,
    busy: true,
  });
  const running = useRef<AbortController | null>(null);
  const latest = useRef(ask);
  latest.current = ask;
  const again = useCallback(() => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setState((s) => ({ ...s, busy: true }));
    latest.current(mine.signal).then(
      (data) => running.current === mine && setState({ data, error: null, busy: false }),
      (e: unknown) => {
        if (running.current === mine && (e as Error).name !== "AbortError")
          setState((s) => ({ ...s, error: asApiError(e), busy: false }));
      },
    );
  }, []);
  useEffect(() => {
    again();
    return () => running.current?.abort();
  }, keys);
  /* The server was gone and is back: nobody has to ask again by hand. */
  const lost = state.error?.code === "unreachable";
  const up = line.value !== "gone";
  useEffect(() => {
    if (lost && up) again();
  }, [lost, up]);
  return { ...state, again };
}

export function Problem({ error, again }: { error: ApiError; again?: () => void }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>{errorText(error)}</p>
      {again && (
        <button class="btn" type="button" onClick={again}>
          {t("retry")}
        </button>
      )}
    </div>
  );
}

export function Show<T>(props: { of: Loaded<T>; children: (data: T) => ComponentChildren }): JSX.Element {
  const { data, error, busy, again } = props.of;
  return (
    <>
      {error && <Problem error={error} again={again} />}
      {data !== null && props.children(data)}
      {data === null && !error && (
        <p class="hint" aria-busy={busy}>
          {t("loading")}
        </p>
      )}
    </>
  );
}

/* A form that does one thing: its button, what the server refused, and nothing lost when it does. */
export function Act(props: {
  go: string;
  act: () => Promise<void>;
  cancel: () => void;
  children: ComponentChildren;
  /* What the form itself found wrong. */
  fault?: string | null;
}): JSX.Element {
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const text = props.fault ?? (error && errorText(error));
  return (
    <form
      class="form"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        if (busy) return;
        setBusy(true);
        setError(null);
        props
          .act()
          .catch((x: unknown) => setError(asApiError(x)))
          .finally(() => setBusy(false));
      }}
    >
      {props.children}
      {text && (
        <p class="refused" role="alert">
          {text}
        </p>
      )}
      <div class="btns end">
        <button class="btn" type="button" onClick={props.cancel}>
          {t("cancel")}
        </button>
        <button class="btn pri" type="submit" disabled={busy} aria-busy={busy}>
          {props.go}
        </button>
      </div>
    </form>
  );
}
