/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a looked-at file from being imported: a camera that is none of the case's, or no start. */

export type Lack = { camera: boolean; start: boolean; any: boolean };

export function missingOf(r: { take: boolean; camera: string; start: number | null }, known: ReadonlySet<string>): Lack {
  const camera = r.take && !known.has(r.camera);
  const start = r.take && r.start === null;
  return { camera, start, any: camera || start };
}
