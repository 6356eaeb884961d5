import { useId } from 'react';

import { rememberLanguage, storage } from '../../client/storage';
import { language, LANGUAGES, setLanguage, t, type Language } from '../../client/text/catalogue';
import { useStore } from '../hooks/useStore';

/** Choose the language of the page; the choice is stored for the next visit. */
export function LanguageSelect() {
  const id = useId();
  const { language: current } = useStore(language);
  return (
    <div className="field">
      <label htmlFor={id}>{t('lobby.language')}</label>
      <select
        id={id}
        data-testid="select-language"
        value={current in LANGUAGES ? current : ''}
        onChange={(event) => {
          rememberLanguage(storage('localStorage'), event.target.value);
          void setLanguage(event.target.value as Language);
        }}
      >
        {!(current in LANGUAGES) && <option value="">{current}</option>}
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
