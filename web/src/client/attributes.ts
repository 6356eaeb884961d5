/**
 * Names that the page shares with the server. The server defines them; `tests/signaling/daily/test_page_names.py`
 * compares these copies with its definitions.
 *
 * Attributes named `lectern.*` are set by the server alone: participants cannot set them for themselves.
 */

/** Attribute: the application's own id of the person. */
export const USER_ID = 'lectern.user_id';
/** Attribute: `true` for owners of the meeting. */
export const IS_OWNER = 'lectern.is_owner';
/** Attribute: what the participant may administer, as names separated by commas. */
export const CAN_ADMIN = 'lectern.can_admin';
/** Attribute: when the participant will be removed, in seconds since 1970. */
export const EJECT_AT = 'lectern.eject_at';
/** Attribute: what the participant's link allows, while it is a limit (JSON, see `stage/link.ts`). */
export const LINK = 'lectern.link';
/** Topic of the data packets with the events of a teaching session (`signaling/teaching/delivery.py`). */
export const SESSION_TOPIC = 'lectern.session';
/** Topic of the data packets that the server and the pages of Daily's rooms exchange. */
export const TOPIC = 'lectern.daily';
