/** In place of a page whose address the server refused. */
export const refusals = {
  'refusal.title': 'This link does not work',
  'refusal.link': 'The link has expired, or a part of it is missing. Ask whoever sent it for a new one.',
  'refusal.downloads': 'A tutor has turned off downloads of this session.',
  'refusal.stillRecording': 'The recording is still running. Open the link again when it has ended.',
  'refusal.deleted': 'The recording was deleted, or never had this file.',
  'refusal.noPage': 'There is no page at this address. Check the link.',
  'refusal.signedOut': 'Sign in first, then open the page again.',
  'refusal.other': 'The server could not open this page.',
  'refusal.signInTitle': 'You are not signed in',
  'refusal.noRole':
    'Your school knows you, but gave you no role here. Ask the person who runs Lectern at your school.',
  'refusal.badState': 'Signing in took too long, or began in another browser. Sign in again.',
  'refusal.signInRefused': 'Your school did not sign you in. Try again, or ask your school.',
  'refusal.badToken':
    'Your school’s answer cannot be used here. Tell the person who runs Lectern at your school.',
  'refusal.provider': 'Your school’s sign-in does not answer. Try again in a few minutes.',
  'refusal.signIn': 'Back to sign-in',
} as const;
