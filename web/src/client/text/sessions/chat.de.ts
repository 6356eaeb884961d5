import type { Texts } from '../catalogue';
import type { chat as source } from './chat.en';

export const chat: Texts<typeof source> = {
  'chat.private': 'nur an {name}',
  'chat.toYou': 'nur an Sie',
  'chat.staff': 'an die Lehrkräfte',
  'chat.breakout': 'im Gruppenraum',
  'chat.held': 'wartet auf die Lehrkraft',
  'chat.edited': 'bearbeitet',
  'chat.edit': 'Bearbeiten',
  'chat.delete': 'Löschen',
  'chat.deleteAsk': 'Diese Nachricht löschen?',
  'chat.deleteDetail': 'Niemand kann sie dann noch lesen.',
  'chat.pin': 'Für alle anheften',
  'chat.unpin': 'Lösen',
  'chat.approve': 'Für alle freigeben',
  'chat.mode': 'Nachrichten der Lernenden',
  'chat.open': 'Alle lesen sie',
  'chat.slow': 'Langsam: eine alle 30 Sekunden',
  'chat.staff_first': 'Zuerst lesen Lehrkräfte sie',
  'chat.closed': 'Nur Lehrkräfte lesen sie',
  'chat.slowTold': 'Sie können alle {seconds} Sekunden eine Nachricht senden.',
  'chat.staffFirstTold': 'Eine Lehrkraft liest Ihre Nachrichten vor den anderen.',
  'chat.closedTold': 'Nur Lehrkräfte lesen Ihre Nachrichten.',
};
