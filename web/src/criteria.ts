/* SPDX-License-Identifier: Apache-2.0 */
/* The switches of a case, in the order of the form; `site`: the site must allow it too (off by default). */
export const criteria = [
  { key: "vehicle.type", site: false },
  { key: "vehicle.color", site: false },
  { key: "vehicle.make_model", site: false },
  { key: "vehicle.extra", site: false },
  { key: "vehicle.plate", site: true },
  { key: "vehicle.similar", site: true },
  { key: "person.tops", site: false },
  { key: "person.bottoms", site: false },
  { key: "person.shoes", site: false },
  { key: "person.headwear", site: false },
  { key: "person.bag", site: false },
  { key: "person.accessory", site: false },
  { key: "person.face_cover", site: true },
  { key: "motion.area", site: false },
] as const;

export type Criterion = (typeof criteria)[number]["key"];
