/** The token that a person asks with, where the engine wants one: `#token=..` of the address, kept for the next time. */

const KEPT = "nanming.roster.token";

/** Whose a token says it is; the engine checks it. */
export interface Claim { roster: string; person: string | null }

function given(): string | null {
  const said = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (said) localStorage.setItem(KEPT, said);
    return said ?? localStorage.getItem(KEPT);
  } catch {
    return said;
  }
}

export const token: string | null = given();
export const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};

/** What a token says, without its signature. */
export function claimOf(token: string): Claim | null {
  try {
    const base64 = token.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/");
    const who = new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    const [roster = "", ...person] = who.split("/");
    return { roster, person: person.length > 0 ? person.join("/") : null };
  } catch {
    return null;
  }
}
