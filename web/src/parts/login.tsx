/** The form that comes when the engine wants to know who asks. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { t, word } from "../i18n";
import { logIn } from "../session";

export function LoginForm({ entered }: { entered: () => void }): JSX.Element {
  const [name, putName] = useState("");
  const [password, putPassword] = useState("");
  const [refused, refuse] = useState<string | null>(null);
  const [busy, wait] = useState(false);
  const enter = async (): Promise<void> => {
    wait(true);
    try {
      await logIn(name, password);
      entered();
    } catch (error) {
      refuse(error instanceof ApiError ? word("err", error.reason) : String(error));
      putPassword("");
    } finally {
      wait(false);
    }
  };
  return (
    <div class="lock" role="dialog" aria-modal="true" aria-label={t("log_in")}>
      <form data-testid="login" onSubmit={(e) => { e.preventDefault(); void enter(); }}>
        <h2>{t("log_in")}</h2>
        <label>{t("log_in_name")}<input name="username" autocomplete="username" autofocus required value={name} onInput={(e) => putName(e.currentTarget.value)} /></label>
        <label>{t("log_in_password")}<input name="password" type="password" autocomplete="current-password" required value={password} onInput={(e) => putPassword(e.currentTarget.value)} /></label>
        {refused && <p class="error" role="alert" data-testid="login-refused">{refused}</p>}
        <button type="submit" class="primary" disabled={busy} data-testid="login-submit">{t("log_in")}</button>
      </form>
    </div>
  );
}
