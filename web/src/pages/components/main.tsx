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
import { ExampleReport, ExampleSession } from './ExampleSession';
import { Gallery } from './Gallery';

const element = document.getElementById('page');
if (element === null) throw new Error('components.html has no #page');
await startLanguage();
// `?people=12&panel=chat` shows a room of so many people instead, `&session=tutor` (or `student`) a session,
// there with `&scene=slides` (or `whiteboard`), `?report` a report.
const wanted = new URLSearchParams(window.location.search);
const people = wanted.get('people');
const shown = () => {
  const [panel, session] = [wanted.get('panel'), wanted.get('session')];
  if (wanted.has('report')) return <ExampleReport />;
  if (people === null) return <Gallery />;
  if (session === null) return <ExampleRoom people={Number(people)} panel={panel} />;
  return (
    <ExampleSession
      people={Number(people)}
      tutor={session === 'tutor'}
      panel={panel}
      scene={wanted.get('scene')}
    />
  );
};
createRoot(element).render(
  <StrictMode>
    <TooltipProvider>{shown()}</TooltipProvider>
  </StrictMode>,
);
