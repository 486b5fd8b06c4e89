/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in: the page before anything else, the dialog over work whose session ended, a new password where one must
 * be chosen, and the warning before an idle session ends. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type ApiError, asApiError } from "./http";
import { language, number, t } from "./i18n";
import { Dialog } from "./parts/dialog";
import { TextField } from "./parts/fields";
import { toast } from "./parts/toast";
import { hashOf } from "./router";
import { changePassword, heardMs, idleSeconds, login, logout, phase, stillHere, user } from "./session";
import { errorText, start } from "./state";
import { countdown } from "./time";

function refusal(e: ApiError): string {
  const retry = e.params.retry_s;
  if (e.code === "locked" && typeof retry === "number")
    return t("login.locked", { left: countdown(Math.max(60, retry) * 1000, language.value) });
  return errorText(e);
}

function useSubmit(act: () => Promise<void>): { problem: string | null; busy: boolean; submit: (e: Event) => void } {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (e: Event): void => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    act()
      .catch((x: unknown) => setProblem(refusal(asApiError(x))))
      .finally(() => setBusy(false));
  };
  return { problem, busy, submit };
}

function Refused({ text }: { text: string | null }): JSX.Element {
  return (
    <p class={text ? "refused" : "vh"} role="alert">
      {text}
    </p>
  );
}

/* `as`: whose session it was; without it anybody's. */
function Credentials({ as, done }: { as?: string; done: () => void }): JSX.Element {
  const [name, setName] = useState(as ?? "");
  const [secret, setSecret] = useState("");
  const [otp, setOtp] = useState("");
  const { problem, busy, submit } = useSubmit(async () => {
    await login(name.trim(), secret, otp.replace(/\s/g, ""));
    setSecret("");
    setOtp("");
    done();
  });
  return (
    <form class="form" noValidate onSubmit={submit}>
      {!as && (
        <TextField label={t("login.name")} value={name} onValue={setName} autocomplete="username" maxLength={63} focus />
      )}
      <TextField
        label={t("login.secret")}
        value={secret}
        onValue={setSecret}
        type="password"
        autocomplete="current-password"
        maxLength={256}
        focus={as !== undefined}
      />
      <TextField
        label={t("login.otp")}
        note={t("login.otp.note")}
        value={otp}
        onValue={setOtp}
        autocomplete="one-time-code"
        inputMode="numeric"
        maxLength={7}
        mono
        optional
      />
      <Refused text={problem} />
      <div class="btns">
        <button class="btn pri" type="submit" disabled={busy} aria-busy={busy}>
          {t(busy ? "login.busy" : "login.go")}
        </button>
        {as && (
          <button class="btn" type="button" onClick={() => void logout()}>
            {t("login.other")}
          </button>
        )}
      </div>
    </form>
  );
}

export function SignIn(): JSX.Element {
  return (
    <main class="gate" id="main" tabIndex={-1}>
      <div class="gate-box">
        <img src="/icon.svg" alt="" width="52" height="52" />
        <h1>{t("app.name")}</h1>
        <p class="dim">{t("login.promise")}</p>
        <Credentials done={() => void start()} />
        <p class="hint">{t("login.help")}</p>
        <a class="link small" href={hashOf("about", "accessibilite")}>
          {t("declaration.link")}
        </a>
      </div>
    </main>
  );
}

/* Over the page as it stands: nothing typed is lost, and what was under way goes on afterwards. */
export function SignInAgain(): JSX.Element | null {
  const u = user.value;
  if (phase.value !== "ended" || !u) return null;
  return (
    <Dialog title={t("login.ended")} onClose={() => undefined} stays>
      <p>{t("login.ended.text", { name: u.name })}</p>
      <Credentials as={u.login} done={() => toast(t("login.again"))} />
    </Dialog>
  );
}

function NewPassword({ done }: { done: () => void }): JSX.Element {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const differ = again !== "" && again !== fresh;
  const { problem, busy, submit } = useSubmit(async () => {
    if (again !== fresh) return;
    await changePassword(old, fresh);
    done();
  });
  return (
    <form class="form" noValidate onSubmit={submit}>
      <input class="vh" type="text" autocomplete="username" value={user.value?.login} readOnly tabIndex={-1} aria-hidden="true" />
      <TextField
        label={t(user.value?.must_change ? "password.onetime" : "password.old")}
        value={old}
        onValue={setOld}
        type="password"
        autocomplete="current-password"
        maxLength={256}
        focus
      />
      <TextField
        label={t("password.new")}
        note={t("password.rule")}
        value={fresh}
        onValue={setFresh}
        type="password"
        autocomplete="new-password"
        maxLength={256}
      />
      <TextField
        label={t("password.repeat")}
        value={again}
        onValue={setAgain}
        type="password"
        autocomplete="new-password"
        maxLength={256}
        error={differ ? t("password.differ") : null}
      />
      <Refused text={problem} />
      <div class="btns">
        <button class="btn pri" type="submit" disabled={busy || differ}>
          {t("password.go")}
        </button>
      </div>
    </form>
  );
}

export function FirstPassword(): JSX.Element {
  return (
    <main class="gate" id="main" tabIndex={-1}>
      <div class="gate-box">
        <img src="/icon.svg" alt="" width="52" height="52" />
        <h1>{t("password.first")}</h1>
        <p class="dim">{t("password.first.text", { name: user.value?.name ?? "" })}</p>
        <NewPassword done={() => void start()} />
      </div>
    </main>
  );
}

export const passwordShown = signal(false);
export function PasswordDialog(): JSX.Element | null {
  if (!passwordShown.value) return null;
  const close = (): void => {
    passwordShown.value = false;
  };
  return (
    <Dialog title={t("password.title")} onClose={close}>
      <NewPassword done={() => (close(), toast(t("password.done")))} />
    </Dialog>
  );
}

/* Two minutes before an idle session ends, one key keeps it. */
const WARN_S = 120;
export function IdleWarning(): JSX.Element | null {
  const [now, setNow] = useState(Date.now());
  const [put, setPut] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  if (phase.value !== "in" || !user.value || idleSeconds.value <= WARN_S) return null;
  const left = Math.round((heardMs.value + idleSeconds.value * 1000 - now) / 1000);
  if (left > WARN_S || left <= 0 || put === heardMs.value) return null;
  return (
    <Dialog
      title={t("idle.title")}
      onClose={() => setPut(heardMs.value)}
      foot={
        <button class="btn pri" type="button" autoFocus onClick={() => void stillHere().catch(() => undefined)}>
          {t("idle.stay")}
        </button>
      }
    >
      <p>{t("idle.text", { n: number(Math.ceil(left / 10) * 10) })}</p>
    </Dialog>
  );
}
