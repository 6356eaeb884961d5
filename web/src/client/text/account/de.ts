/** German texts of the account page. */
import type { Texts } from '../catalogue';
import type { en } from './en';

export const de: Texts<typeof en> = {
  'account.title': 'Ihr Konto',
  'account.none': 'Sie haben kein Konto auf diesem Server: Ihre Schule verwaltet Ihre Anmeldung.',
  'account.wrongPassword': 'Das Passwort ist falsch.',
  'account.done': 'Fertig',

  // The second factor.
  'factor.title': 'Mit einem Code anmelden',
  'factor.off': 'Zum Anmelden reicht Ihr Passwort. Ein Code von Ihrem Telefon schützt Ihr Konto besser.',
  'factor.on': 'Nach dem Passwort geben Sie einen Code Ihrer Authenticator-App ein.',
  'factor.left': {
    one: '{count} Wiederherstellungscode ist übrig.',
    other: '{count} Wiederherstellungscodes sind übrig.',
  },
  'factor.password': 'Ihr Passwort',
  'factor.begin': 'Codes einrichten',
  'factor.scan':
    'Scannen Sie dieses Bild mit einer Authenticator-App auf Ihrem Telefon, und geben Sie den Code ein, den die App zeigt.',
  'factor.picture': 'QR-Code für Ihre Authenticator-App',
  'factor.secret': 'Oder tippen Sie diesen Schlüssel in die App',
  'factor.code': 'Code aus der App',
  'factor.anyCode': 'Code aus der App oder Wiederherstellungscode',
  'factor.confirm': 'Codes einschalten',
  'factor.cancel': 'Abbrechen',
  'factor.codesTitle': 'Ihre Wiederherstellungscodes',
  'factor.codes':
    'Jeder Code gilt einmal, falls Sie Ihr Telefon verlieren. Bewahren Sie sie sicher auf: Sie werden nicht noch einmal gezeigt.',
  'factor.copy': 'Codes kopieren',
  'factor.copied': 'Kopiert',
  'factor.stored': 'Ich habe die Codes aufbewahrt',
  'factor.renew': 'Neue Wiederherstellungscodes',
  'factor.disable': 'Codes ausschalten',
  'factor.renewExplain': 'Ihre bisherigen Wiederherstellungscodes gelten dann nicht mehr.',
  'factor.disableExplain': 'Danach reicht zum Anmelden Ihr Passwort allein.',

  // Mail.
  'mail.title': 'E-Mail',
  'mail.to': 'Nachrichten gehen an {email}.',
  'mail.off': 'Dieser Server verschickt keine E-Mails.',
  'mail.reminders': 'Mich an Stunden erinnern',
  'mail.remindersHelp': 'Kurz vor Beginn einer Stunde bekommen Sie eine Nachricht.',
  'mail.zone': 'Zeitzone in Nachrichten',
  'mail.noZone': 'Nicht gesetzt',

  // The password.
  'password.title': 'Passwort ändern',
  'password.present': 'Bisheriges Passwort',
  'password.new': 'Neues Passwort',
  'password.again': 'Noch einmal das neue Passwort',
  'password.explain': 'Es hat mindestens {count} Zeichen. Danach melden Sie sich auf allen Geräten neu an.',
  'password.change': 'Passwort ändern',
  'password.changed': 'Ihr Passwort ist geändert. Melden Sie sich mit dem neuen an.',
  'password.signIn': 'Anmelden',

  // Weekly times for appointments.
  'hours.title': 'Sprechzeiten nach Termin',
  'hours.explain': 'Zu diesen Zeiten jeder Woche kann man bei Ihnen Termine buchen.',
  'hours.day': 'Tag',
  'hours.from': 'Von',
  'hours.to': 'Bis',
  'hours.add': 'Zeit hinzufügen',
  'hours.remove': 'Entfernen',
  'hours.slot': 'Dauer eines Termins',
  'hours.minutes': { one: '{count} Minute', other: '{count} Minuten' },
  'hours.save': 'Zeiten speichern',
  'hours.saved': 'Ihre Zeiten sind gespeichert.',
  'hours.incomplete': 'Geben Sie zu jeder Zeit Beginn und Ende an.',
  'hours.order': 'Jede Zeit muss nach ihrem Beginn enden.',

  // Bans.
  'bans.title': 'Ausgeschlossene Personen',
  'bans.none': 'Sie haben niemanden ausgeschlossen.',
  'bans.explain': 'Sie können an keiner Ihrer Stunden teilnehmen.',
  'bans.where': '{title}, {when}',
  'bans.gone': 'Eine gelöschte Stunde',
  'bans.unnamed': 'Jemand ohne Namen',
  'bans.lift': 'Ausschluss aufheben',
  'bans.lifted': '{name} kann wieder an Ihren Stunden teilnehmen.',
};
