"use client";

import { useCallback, useEffect, useMemo, useRef, useState } from "react";

/** @import { AvatarUpload } from "./react.js" */

/** @typedef {Pick<AvatarUpload, "status" | "progress" | "fraction" | "error" | "upload">} State */

/** @type {State} */
const IDLE = { status: "idle", progress: null, fraction: 0, error: null, upload: null };

/** @type {typeof import("./react.js").useAvatarUpload} */
export function useAvatarUpload(media, { slot = "avatar", onSet } = {}) {
  const [state, setState] = useState(IDLE);
  const controller = useRef(/** @type {AbortController | null} */ (null));
  const last = useRef(/** @type {Parameters<AvatarUpload["start"]> | null} */ (null));
  const onSetNow = useRef(onSet);
  useEffect(() => {
    onSetNow.current = onSet;
  });

  const abort = useCallback(() => {
    controller.current?.abort();
    controller.current = null;
  }, []);
  useEffect(() => abort, [abort]);

  const start = useCallback(
    /** @type {AvatarUpload["start"]} */
    (file, options) => {
      abort();
      last.current = [file, options];
      const mine = (controller.current = new AbortController());
      /** @param {Partial<State>} change */
      const change = (change) => {
        if (controller.current === mine) setState((before) => ({ ...before, ...change }));
      };
      setState({ ...IDLE, status: "uploading" });
      media
        .upload(file, {
          ...options,
          slot,
          bind: true,
          signal: mine.signal,
          onProgress: (progress) =>
            change({ progress, ...(progress.phase === "sending" && { fraction: progress.sent / progress.total }) }),
        })
        .then(
          (upload) => {
            if (controller.current !== mine) return;
            change({ status: "done", upload });
            onSetNow.current?.(upload);
          },
          (error) => change({ status: "failed", error }),
        );
    },
    [media, slot, abort],
  );
  const cancel = useCallback(() => {
    abort();
    setState(IDLE);
  }, [abort]);
  const retry = useCallback(() => {
    if (last.current) start(...last.current);
  }, [start]);

  return useMemo(() => ({ ...state, start, cancel, retry }), [state, start, cancel, retry]);
}
