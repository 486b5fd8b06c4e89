/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of a file the person chose, in hexadecimal; the file itself stays on this machine. */
export async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
}
