/** Reading values that come from outside: JSON of a server, messages of another window, claims of a token. */

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
