import '../../styles/base.css';
import '../../styles/lobby.css';
import '../../styles/lesson.css';

import { LogLevel, setLogLevel } from 'livekit-client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';

// The default level, `info`, logs several lines for each participant who joins or leaves.
setLogLevel(LogLevel.warn);

const element = document.getElementById('page');
if (element === null) throw new Error('index.html has no #page');
createRoot(element).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
