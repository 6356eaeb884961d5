import { useCallback, useEffect, useRef, useState } from 'react';

import { placed } from '../../../client/classroom/board/images';
import type { BoardPage } from '../../../client/classroom/board/page';
import { sendFile } from '../../../client/classroom/uploads';
import { s } from '../../../client/text/sessions/texts';
import { IconButton } from '../../../ui/controls/IconButton';
import { TEACHING } from '../../../ui/controls/teachingIcons';
import { useLive } from '../../live/context';
import { BadImageError, IMAGE_TYPES, prepared } from '../../../stage/board/pictures';

interface AddImageProps {
  page: BoardPage;
  /** Receives the id of the image. */
  onAdded: (image: string) => void;
}

/** Adds an image to the page: a chosen file, or one from the clipboard. It becomes a file of the session. */
export function AddImage({ page, onAdded }: AddImageProps) {
  const { session, wire } = useLive();
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const add = useCallback(
    async (chosen: File): Promise<void> => {
      setBusy(true);
      try {
        const { file, width, height } = await prepared(chosen);
        await wire.run(async () => {
          const id = await sendFile(session, file, false);
          page.begin();
          const image = page.addImage(id, placed(width, height));
          page.begin();
          onAdded(image);
        });
      } catch (error) {
        if (!(error instanceof BadImageError)) throw error;
        wire.tell(s('board.badImage', { name: chosen.name }));
      } finally {
        setBusy(false);
      }
    },
    [session, wire, page, onAdded],
  );
  usePasted(busy ? undefined : add);
  return (
    <>
      <IconButton
        look="bare"
        icon={TEACHING.addImage}
        label={s(busy ? 'board.imageBusy' : 'board.image')}
        testId="board-image"
        disabled={busy}
        onPress={() => input.current?.click()}
      />
      <input
        ref={input}
        type="file"
        hidden
        accept={IMAGE_TYPES.join(',')}
        data-testid="board-image-input"
        onChange={({ target }) => {
          const file = target.files?.[0];
          // The same file can be chosen again.
          target.value = '';
          if (file !== undefined) void add(file);
        }}
      />
    </>
  );
}

/** Takes images that are pasted, unless a field takes what is pasted. */
function usePasted(add: ((file: File) => Promise<void>) | undefined): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const { target } = event;
      if (target instanceof Element && target.closest('input, textarea, [contenteditable=true]') !== null)
        return;
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => IMAGE_TYPES.includes(type));
      if (file === undefined || add === undefined) return;
      event.preventDefault();
      void add(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [add]);
}
