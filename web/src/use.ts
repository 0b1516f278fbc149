/** Hooks that more than one panel needs. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ask } from "./api";

export interface Fetched<T> { value: T | null; error: unknown }

/** Asks for `path` again every `every_ms`, and at once when `path` or `stamp` changes. Keeps the last answer on failure. */
export function usePolled<T>(path: string, every_ms: number, stamp: unknown = null, headers: Record<string, string> = {}): Fetched<T> {
  const [got, put] = useState<Fetched<T> & { path: string }>({ value: null, error: null, path });
  useEffect(() => {
    const stop = new AbortController();
    const get = (): void => {
      ask<T>(path, { signal: stop.signal, headers }).then(
        (value) => put({ value, error: null, path }),
        (error: unknown) => {
          if (!stop.signal.aborted) put((was) => ({ value: was.path === path ? was.value : null, error, path }));
        },
      );
    };
    get();
    const timer = window.setInterval(() => document.hidden || get(), every_ms);
    return () => {
      stop.abort();
      window.clearInterval(timer);
    };
  }, [path, every_ms, stamp]);
  return got.path === path ? got : { value: null, error: null };
}

/** Takes the focus as the element comes, and hands it to the panel's title as it goes: keys stay within the panel. */
export function useFocus<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  useLayoutEffect(() => {
    ref.current?.focus({ preventScroll: true });
    return () => document.getElementById("panel-title")?.focus({ preventScroll: true });
  }, []);
  return ref;
}

/** Time of the city now: the last message's, carried on by the page's clock for as long as messages come. */
export function cityNow(board_ms: number, heard_ms: number, live: boolean): number {
  return live && board_ms > 0 ? board_ms + Math.min(Math.max(Date.now() - heard_ms, 0), 2_000) : board_ms;
}
