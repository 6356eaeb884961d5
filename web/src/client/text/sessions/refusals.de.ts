/** In place of a page whose address the server refused. */
import type { Texts } from '../catalogue';
import type { refusals as source } from './refusals.en';

export const refusals: Texts<typeof source> = {
  'refusal.title': 'Dieser Link funktioniert nicht',
  'refusal.link':
    'Der Link ist abgelaufen oder unvollständig. Bitten Sie die Person, von der er kommt, um einen neuen.',
  'refusal.downloads': 'Eine Lehrkraft hat Downloads dieser Sitzung abgestellt.',
  'refusal.stillRecording': 'Die Aufzeichnung läuft noch. Öffnen Sie den Link nach ihrem Ende noch einmal.',
  'refusal.deleted': 'Die Aufzeichnung wurde gelöscht oder hatte diese Datei nie.',
  'refusal.noPage': 'Unter dieser Adresse gibt es keine Seite. Prüfen Sie den Link.',
  'refusal.signedOut': 'Melden Sie sich zuerst an, und öffnen Sie die Seite dann noch einmal.',
  'refusal.other': 'Der Server konnte diese Seite nicht öffnen.',
  'refusal.signInTitle': 'Sie sind nicht angemeldet',
  'refusal.noRole':
    'Ihre Schule kennt Sie, hat Ihnen hier aber keine Rolle gegeben. Fragen Sie die Person, die Lectern an Ihrer Schule betreibt.',
  'refusal.badState':
    'Die Anmeldung hat zu lange gedauert oder in einem anderen Browser begonnen. Melden Sie sich noch einmal an.',
  'refusal.signInRefused':
    'Ihre Schule hat Sie nicht angemeldet. Versuchen Sie es noch einmal, oder fragen Sie Ihre Schule.',
  'refusal.badToken':
    'Die Antwort Ihrer Schule ist hier nicht verwendbar. Sagen Sie es der Person, die Lectern an Ihrer Schule betreibt.',
  'refusal.provider':
    'Die Anmeldung Ihrer Schule antwortet nicht. Versuchen Sie es in einigen Minuten noch einmal.',
  'refusal.signIn': 'Zurück zur Anmeldung',
};
