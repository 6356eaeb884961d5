/** Reading values from outside: JSON of a server, messages of another window, claims of a token. */

export type Fields = Record<string, unknown>;

/** Whether a value is an object with fields; arrays are not. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is an object with fields, otherwise an object without any. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The value if it is a string, otherwise the empty string. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value if it is a finite number, otherwise undefined. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value if it is an array, otherwise an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The strings of an array. */
export function textsOf(value: unknown): string[] {
  return listOf(value).filter((each) => typeof each === 'string');
}

/** The value if it is one of these strings, otherwise the first of them. */
export function wordOf<W extends string>(value: unknown, words: readonly [W, ...W[]]): W {
  return words.find((word) => word === value) ?? words[0];
}
