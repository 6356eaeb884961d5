/** The code that the page loads when a person is admitted to a session, in one chunk. */
export { SessionRoom } from './SessionRoom';
export { SessionWire } from './wire';
