/** Bytes as base64 (RFC 4648), the form in JSON. */

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  // `apply` accepts a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** Throws if the text is not base64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
