/** English texts of the account page: the source of the other languages. */
export const en = {
  'account.title': 'Your account',
  'account.none': 'You have no account on this server: your school manages your sign-in.',
  'account.wrongPassword': 'The password is wrong.',
  'account.done': 'Done',

  // The second factor.
  'factor.title': 'Sign in with a code',
  'factor.off': 'Your password is enough to sign in. A code from your phone protects your account better.',
  'factor.on': 'After your password, you enter a code from your authenticator app.',
  'factor.left': {
    one: '{count} recovery code is left.',
    other: '{count} recovery codes are left.',
  },
  'factor.password': 'Your password',
  'factor.begin': 'Set up codes',
  'factor.scan':
    'Scan this picture with an authenticator app on your phone, then enter the code that the app shows.',
  'factor.picture': 'QR code for your authenticator app',
  'factor.secret': 'Or type this key into the app',
  'factor.code': 'Code from the app',
  'factor.anyCode': 'Code from the app, or a recovery code',
  'factor.confirm': 'Turn on codes',
  'factor.cancel': 'Cancel',
  'factor.codesTitle': 'Your recovery codes',
  'factor.codes':
    'Each code works once, if you lose your phone. Keep them in a safe place: they are not shown again.',
  'factor.copy': 'Copy the codes',
  'factor.copied': 'Copied',
  'factor.stored': 'I have kept the codes',
  'factor.renew': 'New recovery codes',
  'factor.disable': 'Turn off codes',
  'factor.renewExplain': 'Your earlier recovery codes stop working.',
  'factor.disableExplain': 'From then on, your password alone is enough to sign in.',

  // Mail.
  'mail.title': 'Mail',
  'mail.to': 'Mail goes to {email}.',
  'mail.off': 'This server sends no mail.',
  'mail.reminders': 'Remind me of lessons',
  'mail.remindersHelp': 'You get a message shortly before a lesson of yours begins.',
  'mail.zone': 'Time zone in messages',
  'mail.noZone': 'Not set',

  // The password.
  'password.title': 'Change the password',
  'password.present': 'Present password',
  'password.new': 'New password',
  'password.again': 'The new password again',
  'password.explain': 'It has at least {count} characters. You sign in again afterwards, on all devices.',
  'password.change': 'Change the password',
  'password.changed': 'Your password is changed. Sign in with the new one.',
  'password.signIn': 'Sign in',

  // Weekly times for appointments.
  'hours.title': 'Appointments',
  'hours.explain': 'Students can book you at these times of every week.',
  'hours.day': 'Day',
  'hours.from': 'From',
  'hours.to': 'To',
  'hours.add': 'Add a time',
  'hours.remove': 'Remove',
  'hours.slot': 'Length of an appointment',
  'hours.minutes': { one: '{count} minute', other: '{count} minutes' },
  'hours.save': 'Save the times',
  'hours.saved': 'Your times are saved.',
  'hours.incomplete': 'Enter the beginning and the end of each time.',
  'hours.order': 'Each time has to end after its beginning.',

  // Bans.
  'bans.title': 'People you have banned',
  'bans.none': 'You have banned nobody.',
  'bans.explain': 'They cannot join any of your sessions.',
  'bans.where': '{title}, {when}',
  'bans.gone': 'A deleted session',
  'bans.unnamed': 'Somebody without a name',
  'bans.lift': 'Lift the ban',
  'bans.lifted': '{name} can join your sessions again.',
} as const;
