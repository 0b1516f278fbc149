/** Who this terminal is: by `#token=..` or `#unit=..` of the address, which goes at once, or by what was typed. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Login } from "./link";
import { t } from "./say";

const KEY = "nanming.terminal";

/** From a fragment; null where it says nothing. */
export function loginOf(fragment: string): Login | null {
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  const [token, unit] = [said.get("token"), said.get("unit")];
  return token ? { token } : unit ? { unit } : null;
}

/** From the address or, when the page is loaded again, from this tab's memory. */
export function keptLogin(): Login | null {
  const said = loginOf(location.hash);
  if (said) {
    keep(said);
    // Nobody should read it over a shoulder, or find it in the history.
    history.replaceState(null, "", location.pathname + location.search);
    return said;
  }
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Login | null;
  } catch {
    return null;
  }
}

export function keep(login: Login | null): void {
  try {
    if (login) sessionStorage.setItem(KEY, JSON.stringify(login));
    else sessionStorage.removeItem(KEY);
  } catch { /* storage may be forbidden: then one logs in again */ }
}

export function LoginForm({ refused, enter }: { refused: boolean; enter: (login: Login) => void }): JSX.Element {
  const [token, put] = useState("");
  return (
    <form class="login" onSubmit={(e) => { e.preventDefault(); if (token.trim()) enter({ token: token.trim() }); }}>
      <label for="token">{t("login_hint")}</label>
      {refused && <p class="notice bad" role="alert" data-testid="refused">{t("link_refused")}</p>}
      <input id="token" data-testid="token" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder={t("login_token")} value={token} onInput={(e) => put(e.currentTarget.value)} />
      <button type="submit" class="big go" data-testid="login">{t("login")}</button>
    </form>
  );
}
