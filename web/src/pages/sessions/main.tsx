import '../../styles/tokens.css';
import '../../styles/base.css';
import '../../styles/components.css';

import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';

import { roomLink } from '../../client/access/access';
import { startLanguage } from '../../ui/hooks/useLanguage';
import { TooltipProvider } from '../../ui/surfaces/TooltipProvider';
import { App } from './App';

// Few links are refused.
const Refused = lazy(async () => ({ default: (await import('./Refused')).Refused }));
const refusal = document.querySelector<HTMLMetaElement>('meta[name=lectern-refusal]')?.content ?? '';

// Links to rooms without a session led to `/` before it became the home page.
const room = roomLink(window.location);
if (room !== undefined) window.location.replace(room);

const element = document.getElementById('page');
if (element === null) throw new Error('sessions.html has no #page');
await startLanguage();
createRoot(element).render(
  <StrictMode>
    <TooltipProvider>
      {refusal === '' ? (
        <App />
      ) : (
        <Suspense fallback={null}>
          <Refused code={refusal} />
        </Suspense>
      )}
    </TooltipProvider>
  </StrictMode>,
);
