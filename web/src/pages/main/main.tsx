import '../../styles/tokens.css';
import '../../styles/base.css';
import '../../styles/components.css';
import '../../styles/lobby.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { TooltipProvider } from '../../ui/surfaces/TooltipProvider';
import { startLanguage } from '../../ui/hooks/useLanguage';
import { App } from './App';

const element = document.getElementById('page');
if (element === null) throw new Error('index.html has no #page');
await startLanguage();
createRoot(element).render(
  <StrictMode>
    <TooltipProvider>
      <App />
    </TooltipProvider>
  </StrictMode>,
);
