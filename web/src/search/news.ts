/* SPDX-License-Identifier: Apache-2.0 */
/* What others did to this case meanwhile: the server says that something changed, the page reads again what it shows. */
import { useEffect } from "preact/hooks";
import { caseChanges } from "../events";
import { loadExhibits, refreshDecisions } from "./decisions";

export function useCaseNews(): void {
  const n = caseChanges.value;
  useEffect(() => {
    if (n === 0) return;
    void loadExhibits();
    void refreshDecisions().catch(() => undefined); /* the line's state is shown by the shell; the next event asks again */
  }, [n]);
}
