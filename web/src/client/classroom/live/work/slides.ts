/** Decks of slides, and the page that everybody sees. Turning pages for oneself is local to the page. */
import { fieldsOf, listOf, numberOf, textOf, type Fields } from '../../../json';
import type { SessionEvent } from '../event';

export interface Deck {
  id: string;
  title: string;
  pages: number;
  /** The page that everybody sees, from 1. */
  page: number;
}

function readDeck(value: unknown): Deck {
  const fields = fieldsOf(value);
  return {
    id: textOf(fields['id']) || textOf(fields['deck']),
    title: textOf(fields['title']),
    pages: numberOf(fields['pages']) ?? 1,
    page: numberOf(fields['page']) ?? 1,
  };
}

export function readSlides(fields: Fields): Deck[] {
  return listOf(fields['decks']).map(readDeck);
}

export function applySlides(decks: readonly Deck[], { type, fields }: SessionEvent): readonly Deck[] {
  const id = fields['deck'];
  switch (type) {
    case 'slides.deck_added':
      return [...decks, readDeck(fields)];
    case 'slides.deck_removed':
      return decks.filter((deck) => deck.id !== id);
    case 'slides.turned':
      return decks.map((deck) =>
        deck.id === id ? { ...deck, page: numberOf(fields['page']) ?? deck.page } : deck,
      );
    default:
      return decks;
  }
}
