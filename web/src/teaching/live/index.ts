/** What the page loads when somebody is let into a session, in one piece. */
export { SessionRoom } from './SessionRoom';
export { SessionWire } from './wire';
