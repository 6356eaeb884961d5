/** Requests about the page's appearance, and requests for what this server does not support. */
import { chooseLanguage, language, setLanguage } from '../../../client/text/catalogue';
import { showNamesOf, sidebarOf, trayButtons } from '../appearance';
import { applyClass, applyCss, applyTheme } from '../style';
import { optionalText, type Action } from './context';

export const PAGE_ACTIONS: Readonly<Record<string, Action>> = {
  'lib-room-info': (_fields, reply, { call }) => reply(call.settings?.room ?? {}),
  'set-theme': ({ theme }) => applyTheme(theme),
  'load-css': ({ cssText, bodyClass }) => {
    applyClass(optionalText(bodyClass));
    applyCss(optionalText(cssText));
  },
  'set-daily-lang': ({ lang }, _reply, { appearance }) => {
    const wanted = optionalText(lang) ?? 'en';
    appearance.update({ lang: wanted });
    void setLanguage(chooseLanguage([wanted]));
  },
  'get-daily-lang': (_fields, reply, { appearance }) =>
    reply({ lang: language.snapshot().language, langSetting: appearance.snapshot().lang }),
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
  // daily-js's own diagnostics, which are meant for Daily.
  'transmit-log': () => undefined,
};

/** What this server does not support, and the event that reports it to the application. */
const ABSENT: Readonly<Record<string, { event: string; what: string }>> = {
  'daily-method-update-recording': { event: 'recording-error', what: 'another layout of recordings' },
  'daily-method-start-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-update-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-update-live-streaming-endpoints': { event: 'live-streaming-error', what: 'live streaming' },
  'daily-method-stop-live-streaming': { event: 'live-streaming-error', what: 'live streaming' },
  'set-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'start-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'stop-custom-integrations': { event: 'nonfatal-error', what: 'custom integrations' },
  'set-proxy-url': { event: 'nonfatal-error', what: 'a proxy' },
  'set-ice-config': { event: 'nonfatal-error', what: 'ICE servers chosen by the page' },
};

/** Report that something is not supported, in the response and by the event for it. */
export const ABSENT_ACTIONS: Readonly<Record<string, Action>> = Object.fromEntries(
  Object.entries(ABSENT).map(([name, { event, what }]) => [name, refuse(event, what)]),
);

function refuse(event: string, what: string): Action {
  return (_fields, reply, { wire }) => {
    const errorMsg = `this server does not support ${what}`;
    reply({ error: { type: 'unsupported', msg: errorMsg }, errorMsg });
    wire.post(event, { errorMsg, ...(event === 'nonfatal-error' && { type: 'unsupported' }) });
  };
}

/** Respond to an unknown request, so that daily-js does not wait for a response. */
export const UNKNOWN_ACTION: Action = (_fields, reply) => {
  const errorMsg = 'this page does not support this request';
  reply({ error: { type: 'unsupported', msg: errorMsg }, errorMsg });
};
