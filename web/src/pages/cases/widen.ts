/* SPDX-License-Identifier: Apache-2.0 */
/* An extension holds only what is to be added to a case. */
import type { CaseDetail, NewExtension } from "../../office";
import { type Lines, linesOf } from "./criteria";

/* What differs from the case as it is; null when nothing does. */
export function extensionOf(
  c: CaseDetail,
  f: { reason: string; hash: string; from: number; to: number; expires: number; cameras: ReadonlySet<string>; lines: Lines },
): NewExtension | null {
  const x: NewExtension = { reason: f.reason.trim(), doc_sha256: f.hash };
  const had = new Set(c.camera_ids);
  const more = [...f.cameras].filter((id) => !had.has(id));
  const lines = linesOf(f.lines);
  if (f.from !== c.from_ms) x.from_ms = f.from;
  if (f.to !== c.to_ms) x.to_ms = f.to;
  if (f.expires !== c.expires_ms) x.expires_ms = f.expires;
  if (more.length > 0) x.camera_ids = more;
  if (lines.length > 0) x.criteria = lines;
  return Object.keys(x).length > 2 ? x : null;
}
