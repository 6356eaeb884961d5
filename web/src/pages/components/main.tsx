import '../../styles/tokens.css';
import '../../styles/base.css';
import '../../styles/components.css';
import '../../styles/lobby.css';
import '../../styles/room.css';
import '../../styles/panels.css';
import '../../styles/gallery.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { TooltipProvider } from '../../ui/surfaces/TooltipProvider';
import { startLanguage } from '../../ui/hooks/useLanguage';
import { ExampleRoom } from './ExampleRoom';
import { Gallery } from './Gallery';

const element = document.getElementById('page');
if (element === null) throw new Error('components.html has no #page');
await startLanguage();
// `?people=12&panel=chat&screen=1` shows a room of so many people instead.
const wanted = new URLSearchParams(window.location.search);
const people = wanted.get('people');
createRoot(element).render(
  <StrictMode>
    <TooltipProvider>
      {people === null ? <Gallery /> : <ExampleRoom people={Number(people)} panel={wanted.get('panel')} />}
    </TooltipProvider>
  </StrictMode>,
);
