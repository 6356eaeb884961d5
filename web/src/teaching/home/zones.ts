/** The time zones of this browser, its own first. */
export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const ZONES = [...new Set([OWN_ZONE, ...Intl.supportedValuesOf('timeZone'), 'UTC'])];
