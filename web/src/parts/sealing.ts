/* SPDX-License-Identifier: Apache-2.0 */
/* Which case's exhibits are being sealed: the dialog is fetched when first asked for, from wherever (E, the tray, the
 * case's page). */
import { signal } from "@preact/signals";

export const sealing = signal<string | null>(null);
/* Counts the seals asked for in this page, so that lists read again. */
export const sealed = signal(0);
