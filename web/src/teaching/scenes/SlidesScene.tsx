import { useEffect, useState } from 'react';

import type { Deck } from '../../client/classroom/live/work/slides';
import { SlideImages } from '../../client/classroom/slideImages';
import { pathOf } from '../../client/classroom/sessions';
import { fieldsOf, listOf, numberOf, textOf } from '../../client/json';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { IconButton } from '../../ui/controls/IconButton';
import { useLive } from '../live/context';
import { usePageKeys, usePageTurning } from './pageTurning';

/** A page of slides, as large as the stage. People who may turn pages for everybody do so; others turn pages for themselves. */
export function SlidesScene({ deck }: { deck: Deck }) {
  const { page, apart, turn, forAll, back } = usePageTurning(deck);
  const { address, failed } = usePageImage(deck, page);
  const text = useDeckText(deck.id);
  usePageKeys(turn === undefined ? undefined : (by) => turn(page + by));
  const where = s('slides.page', { page, pages: deck.pages });
  return (
    <section
      className="slides tile"
      aria-label={deck.title}
      data-testid="slides"
      data-page={page}
      data-apart={apart}
    >
      {address !== undefined && (
        <img
          className="slides-page"
          src={address.url}
          alt={`${deck.title}, ${where}`}
          data-testid="slides-image"
          data-page={address.page}
        />
      )}
      {failed && <p role="status">{s('slides.failed')}</p>}
      {/* The words of the page, for screen readers. */}
      <p className="visually-hidden">{text.get(page) ?? ''}</p>
      <div className="scene-bar">
        {turn !== undefined && (
          <IconButton
            look="floating"
            icon="previous"
            label={s('slides.previous')}
            shortcut="←"
            testId="slides-previous"
            disabled={page === 1}
            onPress={() => turn(page - 1)}
          />
        )}
        <p role="status" className="scene-place" data-testid="slides-place">
          {where}
        </p>
        {turn !== undefined && (
          <IconButton
            look="floating"
            icon="next"
            label={s('slides.next')}
            shortcut="→"
            testId="slides-next"
            disabled={page === deck.pages}
            onPress={() => turn(page + 1)}
          />
        )}
        {apart && (
          <Button look="primary" testId="slides-back" onPress={back}>
            {s('slides.back', { page: deck.page })}
          </Button>
        )}
        {forAll && <span className="scene-note">{s('slides.forAll')}</span>}
      </div>
    </section>
  );
}

// Between attempts to load an image.
const RETRY_MS = 2000;

/** The image of a page; the previous image remains until it is loaded. A failed request is repeated while the page is shown. */
function usePageImage(deck: Deck, page: number) {
  const { session } = useLive();
  const [images] = useState(() => new SlideImages(session.caller, session.id));
  const [address, setAddress] = useState<{ url: string; page: number }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => () => images.close(), [images]);
  useEffect(() => {
    let timer: number | undefined;
    let current = true;
    const load = async (): Promise<void> => {
      try {
        const url = await images.get(deck.id, page);
        if (!current) return;
        setAddress({ url, page });
        setFailed(false);
        for (const near of [page + 1, page - 1]) {
          if (near >= 1 && near <= deck.pages) void images.get(deck.id, near).catch(() => undefined);
        }
      } catch {
        if (!current) return;
        setFailed(true);
        timer = window.setTimeout(() => void load(), RETRY_MS);
      }
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [images, deck.id, deck.pages, page]);
  return { address, failed };
}

/** The text of a deck by page; empty until it is loaded. */
function useDeckText(deck: string): ReadonlyMap<number, string> {
  const { session } = useLive();
  const [text, setText] = useState<ReadonlyMap<number, string>>(new Map());
  useEffect(() => {
    let current = true;
    session.caller
      .get(`${pathOf(session.id)}/slides/${encodeURIComponent(deck)}/text`)
      .then(({ pages }) => {
        const read = listOf(pages)
          .map(fieldsOf)
          .map((each) => [numberOf(each['page']) ?? 0, textOf(each['text'])] as const);
        if (current) setText(new Map(read));
      })
      // A deck whose pages were made by an application has no text.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [session, deck]);
  return text;
}
