/* SPDX-License-Identifier: Apache-2.0 */
/* Swatches beside colour names; the name is what counts, the swatch only helps the eye. */
const swatches: Readonly<Record<string, string>> = {
  black: "#1c1d1f",
  white: "#f2f3f3",
  grey: "#8d9296",
  silver: "#c3c8cc",
  beige: "#d2c1a0",
  brown: "#6d4a2f",
  red: "#b92a2a",
  orange: "#de7a23",
  yellow: "#e6c32e",
  green: "#2f7d4f",
  blue: "#2f62b5",
  purple: "#6c4aa0",
  pink: "#d98aa5",
};

export const isColourField = (field: string): boolean => field.endsWith("colour");
/* undefined: multicolour, unknown: drawn as a hatch. */
export const swatch = (name: string): string | undefined => swatches[name];
