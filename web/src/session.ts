/** Who is logged in on this page, where the engine has roles. The token itself is a cookie that no script can read. */
import { ask } from "./api";
import { set } from "./store";

const KEPT = "nanming.person";

export interface Person { name: string; role: string }

/** Who this tab was logged in as when it was loaded last. */
export function keptPerson(): Person | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Person | null;
  } catch {
    return null;
  }
}

function keep(person: Person | null): void {
  try {
    if (person) sessionStorage.setItem(KEPT, JSON.stringify(person));
    else sessionStorage.removeItem(KEPT);
  } catch { /* storage may be forbidden: then the page does not say who it is */ }
}

/** Logs in; throws what the server says where it does not let this person in. */
export async function logIn(name: string, password: string): Promise<void> {
  const body = JSON.stringify({ name, password });
  const said = await ask<Person>("./login", { method: "POST", headers: { "content-type": "application/json" }, body });
  const person = { name: said.name, role: said.role };
  keep(person);
  set({ person, locked: false });
}

/** Logs out, and begins anew: nothing of what was shown stays. */
export async function logOut(): Promise<void> {
  await ask("./logout", { method: "POST" });
  keep(null);
  location.reload();
}
