/** What the page loads for a lesson, in one piece. */
export { Lesson } from './Lesson';
export { LessonSession } from './session';
export { joinWords, mayPass } from '../client/joining';
