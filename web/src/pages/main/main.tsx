import '../../styles/base.css';
import '../../styles/lobby.css';
import '../../styles/lesson.css';

import { LogLevel, setLogLevel } from 'livekit-client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';

// Its default, `info`, writes several lines for each person who comes or goes.
setLogLevel(LogLevel.warn);

const element = document.getElementById('page');
if (element === null) throw new Error('index.html has no #page');
createRoot(element).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
