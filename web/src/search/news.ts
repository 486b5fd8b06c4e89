/* SPDX-License-Identifier: Apache-2.0 */
/* What others did to this case meanwhile: the server says that something changed, the page reads again what it shows. */
import { useEffect } from "preact/hooks";
import { eventsUrl } from "../api";
import { openCase } from "../state";
import { loadExhibits, refreshDecisions } from "./decisions";

export function useCaseNews(): void {
  const id = openCase.value?.id;
  useEffect(() => {
    if (!id) return undefined;
    const source = new EventSource(`${eventsUrl(id)}&topics=case`);
    source.addEventListener("case", () => {
      void loadExhibits();
      void refreshDecisions().catch(() => undefined); /* the line's state is shown by the shell; the next event asks again */
    });
    return () => source.close();
  }, [id]);
}
