/* SPDX-License-Identifier: Apache-2.0 */
/* Line drawings of one weight, 24 x 24, named by what they say. */
import type { JSX } from "preact";

const paths = {
  search: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "m20 20-4-4"],
  cases: ["M3 8h18v11H3z", "M8 8V5h8v3", "M3 13h18M12 12v2"],
  route: ["M6 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM18 16a2 2 0 1 0 0 4 2 2 0 0 0 0-4z", "M8 6h7a3 3 0 0 1 0 6H9a3 3 0 0 0 0 6h7"],
  cameras: ["m4 9 12-4 2 5-12 4z", "M9 13v6M5 19h8", "m18 8 3 2"],
  journal: ["M6 3h12v18H6z", "M9 8h6M9 12h6M9 16h4"],
  users: ["M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", "M3 20c0-4 2.6-6 6-6s6 2 6 6", "M16 5.5a3 3 0 0 1 0 6M17 14.5c2.6.5 4 2.4 4 5.5"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3", "M12 14.5v2"],
  plus: ["M12 5v14M5 12h14"],
  minus: ["M5 12h14"],
  download: ["M12 3v12", "m7 10 5 5 5-5", "M4 20h16"],
  key: ["M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "m11 12 9-8M16 7.5l3 3"],
  folder: ["M3 6h7l2 2h9v11H3z"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4"],
  clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7v5l3.5 2"],
  print: ["M7 8V3h10v5M7 17H4V8h16v9h-3", "M7 14h10v7H7z"],
  up: ["m6 15 6-6 6 6"],
  import: ["M12 3v12", "m7 10 5 5 5-5", "M4 20h16"],
  system: ["M4 5h16v6H4zM4 13h16v6H4z", "M8 8h.01M8 16h.01M12 8h5M12 16h5"],
  about: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 11v6M12 7.5v.01"],
  keyboard: ["M3 6h18v12H3z", "M7 10h.01M11 10h.01M15 10h.01M7 14h10"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19"],
  moon: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"],
  cross: ["M6 6l12 12M18 6 6 18"],
  warn: ["M12 4 2.5 20h19z", "M12 10v5M12 17.5v.01"],
  check: ["m5 12.5 5 5L20 7"],
  play: ["M8 5v14l11-7z"],
  pause: ["M8 5v14M16 5v14"],
  prev: ["M18 6v12l-9-6z", "M6 6v12"],
  next: ["M6 6v12l9-6z", "M18 6v12"],
  box: ["M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4"],
  path: ["M4 18c4 0 4-6 8-6s4-6 8-6"],
  note: ["M5 4h14v11l-5 5H5z", "M14 20v-5h5", "M8 9h8M8 12h5"],
  alike: ["M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4", "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z"],
  together: ["M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM16 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", "M3 19c0-3 2-5 5-5s4 1 4 2c0-1 1-2 4-2s5 2 5 5"],
  area: ["m4 9 7-5 9 4-3 11-11-1z"],
  pile: ["M4 8h13v12H4z", "M7 5h13v12"],
  ear: ["M4 5h16v11h-9l-4 4v-4H4z", "M9 9.5h6M9 12.5h4"],
  star: ["m12 4 2.4 5 5.6.8-4 3.9 1 5.5-5-2.6-5 2.6 1-5.5-4-3.9 5.6-.8z"],
  back: ["M10 6 4 12l6 6", "M4 12h16"],
  lasso: ["M12 4c5 0 9 2.5 9 6s-4 6-9 6-9-2.5-9-6 4-6 9-6z", "M8 16c-1 1-1 3 1 4"],
  picture: ["M3 5h18v14H3z", "m3 16 5-5 4 4 3-3 6 5", "M15.5 9h.01"],
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="i" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {paths[name].map((d) => (
        <path key={d} d={d} />
      ))}
    </svg>
  );
}
