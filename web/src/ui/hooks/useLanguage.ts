import { useEffect } from 'react';

import { recallLanguage, storage } from '../../client/storage';
import { chooseLanguage, directionOf, intlTag, language, setLanguage } from '../../client/text/catalogue';
import { useStore } from './useStore';

/** Keep the document's language and direction those of the texts; the whole page renders again when they change. */
export function useLanguage(): void {
  const { language: current } = useStore(language);
  useEffect(() => {
    document.documentElement.lang = intlTag(current);
    document.documentElement.dir = directionOf(current);
  }, [current]);
}

/** Switch to the language in the address (`?lang=`), else to the one chosen earlier, else to the browser's. */
export async function startLanguage(): Promise<void> {
  const asked = new URLSearchParams(window.location.search).get('lang') ?? '';
  const stored = recallLanguage(storage('localStorage'));
  await setLanguage(chooseLanguage([asked, stored, ...navigator.languages])).catch(() => undefined);
}
