/* SPDX-License-Identifier: Apache-2.0 */
/* Utilisateurs: who may do what, the accounts with the dates of their habilitation, one-time passwords, second
 * factors. The administrator sees no picture and opens no case. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { language, number, t, tOr } from "../i18n";
import { Icon } from "../icons";
import {
  type Account,
  addUser,
  changeUser,
  endSessions,
  enrolTotp,
  getRoles,
  getUsers,
  type OneTime,
  removeTotp,
  resetPassword,
  type RoleRights,
} from "../office";
import { Dialog } from "../parts/dialog";
import { MomentField, SelectField, TextField } from "../parts/fields";
import { Act, Show, useLoad } from "../parts/load";
import { toast } from "../parts/toast";
import { user as me } from "../session";
import "../styles/office.css";
import { boot, tz } from "../state";
import { countdown, dateText, dayAndTime } from "../time";
import { matches } from "../words";

const roles = ["operator", "officer", "chief", "auditor", "administrator"] as const;
type Role = (typeof roles)[number];

/* In the order of the work; the words are the page's, the ticks the server's. */
const rights = [
  "search",
  "view",
  "decide",
  "export_prepare",
  "export_approve",
  "export_receive",
  "case_read",
  "case_open",
  "import",
  "camera_edit",
  "journal_read",
  "figures_read",
  "user_edit",
  "system_edit",
] as const;
/* Acts that one person asks for and another approves. */
const byTwo: ReadonlySet<string> = new Set(["export_prepare", "export_approve"]);

function Matrix({ items }: { items: RoleRights[] }): JSX.Element {
  return (
    <section class="pan" aria-labelledby="matrix-title" tabIndex={0}>
      <h2 id="matrix-title">{t("users.matrix")}</h2>
      <table class="matrix">
        <thead>
          <tr>
            <td />
            {items.map((r) => (
              <th key={r.role} scope="col">
                {tOr(`role.${r.role}`, r.role)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rights.map((right) => (
            <tr key={right}>
              <th scope="row">{t(`right.${right}`)}</th>
              {items.map((r) => {
                const yes = r.rights.includes(right);
                return (
                  <td key={r.role} class={yes ? (byTwo.has(right) ? "warn-t" : "ok-t") : "dim"}>
                    {yes ? (
                      byTwo.has(right) ? (
                        t("users.two")
                      ) : (
                        <>
                          <Icon name="check" />
                          <span class="vh">{t("yes")}</span>
                        </>
                      )
                    ) : (
                      t("no")
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{t("users.matrix.note")}</p>
    </section>
  );
}

/* Letters that cannot be mistaken are the server's choice; here they are grouped to be read aloud. */
const grouped = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ");

function Shown({ title, text, secret, more, close }: { title: string; text: string; secret: string; more?: string; close: () => void }): JSX.Element {
  return (
    <Dialog
      title={title}
      onClose={close}
      stays
      foot={
        <button class="btn pri" type="button" onClick={close}>
          {t("users.secret.noted")}
        </button>
      }
    >
      <p>{text}</p>
      <p class="secret mono" tabIndex={0}>
        {secret}
      </p>
      {more && <p class="hint mono">{more}</p>}
      <button
        class="btn"
        type="button"
        onClick={() => void navigator.clipboard.writeText(secret.replace(/ /g, "")).then(() => toast(t("users.copied")))}
      >
        {t("users.copy")}
      </button>
    </Dialog>
  );
}

const YEAR_MS = 365 * 86400e3;

function Editor({ of, close, done }: { of: Account | null; close: () => void; done: (made: OneTime | null) => void }): JSX.Element {
  const now = boot.value?.server_ms ?? Date.now();
  const zone = tz.value;
  const [login, setLogin] = useState(of?.login ?? "");
  const [name, setName] = useState(of?.name ?? "");
  const [role, setRole] = useState<Role>((of?.role as Role | undefined) ?? "operator");
  const [habilitation, setHabilitation] = useState(of?.habilitation ?? "");
  const [from, setFrom] = useState<number | null>(of?.valid_from_ms ?? Math.floor(now / 60e3) * 60e3);
  const [to, setTo] = useState<number | null>(of?.valid_to_ms ?? Math.floor((now + YEAR_MS) / 60e3) * 60e3);
  const [fault, setFault] = useState<string | null>(null);
  return (
    <Dialog title={of ? t("users.edit", { name: of.name }) : t("users.new")} onClose={close}>
      <Act
        go={t(of ? "password.go" : "users.create")}
        cancel={close}
        fault={fault}
        act={async () => {
          setFault(null);
          if (!of && !/^[A-Za-z0-9._-]+$/.test(login)) return setFault(t("users.login.bad"));
          if (name.trim() === "") return setFault(t("users.name.missing"));
          if (from === null || to === null || to <= from) return setFault(t("facet.period.order"));
          const change = { name: name.trim(), role, habilitation: habilitation.trim(), valid_from_ms: from, valid_to_ms: to };
          if (of) {
            await changeUser(of.login, change);
            toast(t("users.changed", { name: change.name }));
            done(null);
          } else {
            done(await addUser({ login, ...change }));
          }
          close();
        }}
      >
        <div class="pair">
          {!of && <TextField label={t("login.name")} note={t("users.login.note")} value={login} onValue={setLogin} maxLength={63} mono focus />}
          <TextField label={t("users.name")} note={t("users.name.note")} value={name} onValue={setName} maxLength={127} focus={of !== null} />
          <SelectField
            label={t("users.role")}
            value={role}
            onValue={setRole}
            options={roles.map((r) => ({ value: r, label: t(`role.${r}`) }))}
          />
          <TextField
            label={t("users.habilitation")}
            note={t("users.habilitation.note")}
            value={habilitation}
            onValue={setHabilitation}
            maxLength={127}
            optional={role === "administrator" || role === "auditor"}
          />
          <MomentField label={t("users.valid.from")} value={from} onValue={setFrom} tz={zone} now={now} />
          <MomentField label={t("users.valid.to")} value={to} onValue={setTo} tz={zone} now={now} />
        </div>
      </Act>
    </Dialog>
  );
}

function stateOf(a: Account, now: number): { text: string; tone: string } {
  if (a.disabled) return { text: t("users.disabled"), tone: "dim" };
  if (a.locked_until_ms > now) return { text: t("users.locked", { left: countdown(a.locked_until_ms - now, language.value) }), tone: "err-t" };
  if (a.valid_to_ms <= now) return { text: t("users.expired"), tone: "err-t" };
  if (a.valid_from_ms > now) return { text: t("users.early", { date: dateText(a.valid_from_ms, tz.value) }), tone: "warn-t" };
  if (a.must_change) return { text: t("users.onetime"), tone: "warn-t" };
  if (a.n_sessions > 0) return { text: t("users.online"), tone: "ok-t" };
  return { text: t("users.active"), tone: "" };
}

type Ask = { what: "reset" | "totp" | "untotp" | "out" | "disable" | "enable"; a: Account };

function Confirm({ ask, close, done }: { ask: Ask; close: () => void; done: (shown: { secret: string; kind: "password" | "totp"; uri?: string; name: string } | null) => void }): JSX.Element {
  const { what, a } = ask;
  return (
    <Dialog title={t(`users.ask.${what}`, { name: a.name })} onClose={close}>
      <Act
        go={t(`users.do.${what}`)}
        cancel={close}
        act={async () => {
          if (what === "reset") {
            const r = await resetPassword(a.login);
            done({ secret: r.one_time_secret, kind: "password", name: a.name });
          } else if (what === "totp") {
            const r = await enrolTotp(a.login);
            done({ secret: grouped(r.secret), kind: "totp", uri: r.uri, name: a.name });
          } else {
            if (what === "untotp") await removeTotp(a.login);
            else if (what === "out") await endSessions(a.login);
            else await changeUser(a.login, { disabled: what === "disable" });
            toast(t("users.changed", { name: a.name }));
            done(null);
          }
          close();
        }}
      >
        <p>{t(`users.text.${what}`)}</p>
      </Act>
    </Dialog>
  );
}

export function UsersPage(): JSX.Element {
  const users = useLoad(getUsers, []);
  const matrix = useLoad(getRoles, []);
  const [filter, setFilter] = useState("");
  const [editing, setEditing] = useState<Account | "new" | null>(null);
  const [ask, setAsk] = useState<Ask | null>(null);
  const [shown, setShown] = useState<{ secret: string; kind: "password" | "totp"; uri?: string; name: string } | null>(null);
  const now = boot.value?.server_ms ?? Date.now();
  const zone = tz.value;
  const lang = language.value;
  const act = (what: Ask["what"], a: Account): JSX.Element => (
    <button class="btn" type="button" onClick={() => setAsk({ what, a })}>
      {t(`users.do.${what}`)}
    </button>
  );
  return (
    <main class="page" id="main" tabIndex={-1}>
      <div class="hd">
        <h1>{t("nav.users")}</h1>
        <span class="sp" />
        <label class="vh" for="user-filter">
          {t("users.filter")}
        </label>
        <input
          id="user-filter"
          class="fld filter"
          type="search"
          autocomplete="off"
          placeholder={t("users.filter")}
          value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
        <button class="btn pri" type="button" onClick={() => setEditing("new")}>
          <Icon name="plus" /> {t("users.new")}
        </button>
      </div>
      <section class="pan" aria-labelledby="accounts-title" tabIndex={0}>
        <h2 id="accounts-title">{t("users.accounts")}</h2>
        <Show of={users}>
          {({ items }) => (
            <>
              {items.length === 1 && <p class="first-run">{t("users.first")}</p>}
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("users.name")}</th>
                    <th scope="col">{t("users.role.and")}</th>
                    <th scope="col">{t("users.valid")}</th>
                    <th scope="col">{t("users.totp")}</th>
                    <th scope="col">{t("users.last")}</th>
                    <th scope="col">{t("import.state")}</th>
                    <td />
                  </tr>
                </thead>
                <tbody>
                  {items
                    .filter((a) => matches(`${a.login} ${a.name} ${tOr(`role.${a.role}`, a.role)} ${a.habilitation}`, filter))
                    .map((a) => {
                      const s = stateOf(a, now);
                      return (
                        <tr key={a.login} class={a.disabled ? "off" : ""}>
                          <th scope="row" class="ell" title={a.name}>
                            {a.name}
                            <br />
                            <span class="mono dim">{a.login}</span>
                          </th>
                          <td class="ell" title={a.habilitation}>
                            {tOr(`role.${a.role}`, a.role)}
                            <br />
                            <span class="dim">{a.habilitation || "–"}</span>
                          </td>
                          <td class="nb m">
                            {dateText(a.valid_from_ms, zone).slice(0, 10)}
                            <br />→ {dateText(a.valid_to_ms, zone).slice(0, 10)}
                          </td>
                          <td>{t(a.totp ? "yes" : "no")}</td>
                          <td class="nb m">{a.last_login_ms ? dayAndTime(a.last_login_ms, zone, lang) : "–"}</td>
                          <td class={`nb ${s.tone}`}>{s.text}</td>
                          <td class="r">
                            <button class="btn small" type="button" popovertarget={`acts-${a.login}`}>
                              {t("users.acts")}
                              <span class="vh"> {a.name}</span>
                            </button>
                            <div
                              class="menu acts"
                              id={`acts-${a.login}`}
                              popover="auto"
                              onClick={(e) => e.currentTarget.hidePopover()}
                            >
                              <p>
                                <b>{a.name}</b>
                              </p>
                              <button class="btn" type="button" onClick={() => setEditing(a)}>
                                {t("change")}
                              </button>
                              {act("reset", a)}
                              {act("totp", a)}
                              {a.totp && act("untotp", a)}
                              {a.n_sessions > 0 && act("out", a)}
                              {a.login !== me.value?.login && act(a.disabled ? "enable" : "disable", a)}
                            </div>
                          </td>
                        </tr>
                      );
                    })}
                </tbody>
              </table>
              <p class="hint">{t("users.count", { n: number(items.length) })}</p>
            </>
          )}
        </Show>
      </section>
      <Show of={matrix}>{({ items }) => <Matrix items={items.filter((r) => r.role !== "none")} />}</Show>
      {editing && (
        <Editor
          of={editing === "new" ? null : editing}
          close={() => setEditing(null)}
          done={(made) => {
            users.again();
            if (made) setShown({ secret: made.one_time_secret, kind: "password", name: made.user.name });
          }}
        />
      )}
      {ask && <Confirm ask={ask} close={() => setAsk(null)} done={(s) => (users.again(), setShown(s))} />}
      {shown && (
        <Shown
          title={t(`users.secret.${shown.kind}`, { name: shown.name })}
          text={t(`users.secret.${shown.kind}.text`)}
          secret={shown.secret}
          {...(shown.uri ? { more: shown.uri } : {})}
          close={() => setShown(null)}
        />
      )}
    </main>
  );
}
