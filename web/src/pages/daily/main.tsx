import '../../styles/tokens.css';
import '../../styles/base.css';
import '../../styles/components.css';
import '../../styles/lobby.css';
import '../../styles/room.css';
import '../../styles/panels.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { signallingUrl } from '../../client/access/address';
import { openDevices } from '../../client/media/devices/open';
import { Preview } from '../../client/media/devices/preview';
import { recall, recallMeetingToken, rememberMeetingToken, storage } from '../../client/storage';
import { Store } from '../../client/store';
import { Bridge } from '../../daily/bridge/bridge';
import { Wire } from '../../daily/bridge/wire';
import { readCallAddress, withoutToken } from '../../daily/call/address';
import { INITIAL_APPEARANCE } from '../../daily/call/appearance';
import { Call } from '../../daily/call/call';
import { Door } from '../../daily/call/door';
import { CallPage } from '../../daily/screens/CallPage';
import { TooltipProvider } from '../../ui/surfaces/TooltipProvider';
import { startLanguage } from '../../ui/hooks/useLanguage';

const address = readCallAddress(window.location, window.parent !== window);
const token =
  address.token === '' ? recallMeetingToken(storage('sessionStorage'), address.room) : address.token;
window.history.replaceState(null, '', withoutToken(window.location));

const recalled = recall(storage('localStorage'));
const appearance = new Store(INITIAL_APPEARANCE);
const call = new Call({
  door: new Door(address.room),
  preview: new Preview(recalled.ids, openDevices, window.isSecureContext),
  signallingUrl: signallingUrl(window.location),
  keepToken: (used) => rememberMeetingToken(storage('sessionStorage'), address.room, used),
  wait: (ms) => new Promise((resolve) => window.setTimeout(resolve, ms)),
});
const bridge =
  address.frame === undefined
    ? undefined
    : new Bridge(new Wire(address.frame, window.parent), call, appearance, token);

if (bridge === undefined) {
  appearance.update({ showLeaveButton: true, showFullscreenButton: true });
  void call.join({ token, userName: recalled.name, startVideoOff: undefined, startAudioOff: undefined });
} else bridge.start();

await startLanguage();
const element = document.getElementById('page');
if (element === null) throw new Error('room.html has no #page');
createRoot(element).render(
  <StrictMode>
    <TooltipProvider>
      <CallPage call={call} appearance={appearance} embedder={bridge} />
    </TooltipProvider>
  </StrictMode>,
);
