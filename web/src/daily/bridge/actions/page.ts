/** How the page looks, what it says of itself, and what it does not offer. */
import { showNamesOf, sidebarOf, trayButtons } from '../appearance';
import { applyClass, applyCss, applyTheme } from '../style';
import { textOf, type Action } from './context';

export const PAGE_ACTIONS: Readonly<Record<string, Action>> = {
  'lib-room-info': (_fields, reply, { call }) => reply(call.settings?.room ?? {}),
  'set-theme': ({ theme }) => applyTheme(theme),
  'load-css': ({ cssText, bodyClass }) => {
    applyClass(textOf(bodyClass));
    applyCss(textOf(cssText));
  },
  'set-daily-lang': ({ lang }, _reply, { appearance }) => appearance.update({ lang: textOf(lang) ?? 'en' }),
  'get-daily-lang': (_fields, reply, { appearance }) =>
    reply({ lang: 'en', langSetting: appearance.snapshot().lang }),
  'set-active-speaker-mode': ({ enabled }, _reply, { appearance }) =>
    appearance.update({ activeSpeakerMode: enabled === true }),
  'set-show-local-video': ({ show }, _reply, { appearance }) =>
    appearance.update({ showLocalVideo: show !== false }),
  'set-show-participants-bar': ({ show }, _reply, { appearance }) =>
    appearance.update({ showParticipantsBar: show !== false }),
  'set-show-names': ({ mode }, _reply, { appearance }) => appearance.update({ showNames: showNamesOf(mode) }),
  'set-sidebar-view': ({ view }, _reply, { appearance }) => appearance.update({ sidebar: sidebarOf(view) }),
  'get-sidebar-view': (_fields, reply, { appearance }) => reply({ view: appearance.snapshot().sidebar }),
  'update-custom-tray-buttons': ({ btns }, _reply, { appearance }) =>
    appearance.update({ trayButtons: trayButtons(btns) }),
  'daily-method-set-play-ding': ({ arg }, _reply, { appearance }) =>
    appearance.update({ ding: typeof arg === 'number' ? arg : arg === true }),
  fullscreen: (_fields, _reply, { appearance }) => appearance.update({ fullscreen: true }),
  'exited-fullscreen': (_fields, _reply, { appearance }) => appearance.update({ fullscreen: false }),
  // daily-js's own diagnostics are meant for Daily.
  'transmit-log': () => undefined,
};

/** What this server does not do, and the event by which an application hears of it. */
const ABSENT: Readonly<Record<string, { event: string; what: string }>> = {
  'local-recording-start': { event: 'recording-error', what: 'recording' },
  'local-recording-stop': { event: 'recording-error', what: 'recording' },
  'daily-method-update-recording': { event: 'recording-error', what: 'recording' },
  'daily-method-start-transcription': { event: 'transcription-error', what: 'transcription' },
  'daily-method-update-transcription': { event: 'transcription-error', what: 'transcription' },
  'daily-method-stop-transcription': { event: 'transcription-error', what: 'transcription' },
  'daily-method-start-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-update-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-update-live-streaming-endpoints': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-stop-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'set-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'start-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'stop-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'set-proxy-url': { event: 'nonfatal-error', what: 'a proxy' },
  'set-ice-config': { event: 'nonfatal-error', what: 'a choice of ICE servers by the page' },
};

/** Say plainly that something is not offered, by an answer and by the event that fits. */
export const ABSENT_ACTIONS: Readonly<Record<string, Action>> = Object.fromEntries(
  Object.entries(ABSENT).map(([name, { event, what }]) => [name, refuse(event, what)]),
);

function refuse(event: string, what: string): Action {
  return (_fields, reply, { wire }) => {
    const errorMsg = `this server does not offer ${what}`;
    reply({ error: { type: 'unsupported', msg: errorMsg }, errorMsg });
    wire.post(event, { errorMsg, ...(event === 'nonfatal-error' && { type: 'unsupported' }) });
  };
}

/** An action that nobody here has heard of: whoever waits for an answer gets one. */
export const UNKNOWN_ACTION: Action = (_fields, reply) => {
  const errorMsg = 'this page does not know that request';
  reply({ error: { type: 'unsupported', msg: errorMsg }, errorMsg });
};
