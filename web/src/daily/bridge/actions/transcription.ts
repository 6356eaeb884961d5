/** Requests about the transcription of the meeting; owners and people with the right `transcription` may make them. */
import { textsOf, type Fields } from '../../../client/json';
import { DoorError } from '../../call/door';
import { inMeeting, optionalText, type Action, type MeetingAction } from './context';

export const TRANSCRIPTION_ACTIONS: Readonly<Record<string, Action>> = {
  'daily-method-start-transcription': change('start'),
  'daily-method-update-transcription': change('update'),
  'daily-method-stop-transcription': change('stop'),
};

function change(action: 'start' | 'update' | 'stop'): Action {
  const ask: MeetingAction = async (fields, reply, { meeting, wire }) => {
    try {
      await meeting.transcribe({ action, ...optionsOf(fields) });
      reply({});
    } catch (error) {
      const errorMsg = error instanceof DoorError ? error.message : String(error);
      const instance = optionalText(fields['instanceId']);
      reply({ error: { type: 'transcription', msg: errorMsg }, errorMsg });
      wire.post('transcription-error', { errorMsg, ...(instance !== undefined && { instanceId: instance }) });
    }
  };
  return inMeeting(ask);
}

/** The options that the server knows; those of a provider's model have no effect here. */
function optionsOf(fields: Fields): Fields {
  const { redact, profanity_filter: filter, includeRawResponse: raw, participants } = fields;
  const instance = optionalText(fields['instanceId']);
  const language = optionalText(fields['language']);
  return {
    ...(instance !== undefined && { instance_id: instance }),
    ...(language !== undefined && { language }),
    ...(Array.isArray(participants) && { participants: textsOf(participants) }),
    raw: raw === true,
    redact: redact === true || (Array.isArray(redact) && redact.length > 0),
    profanity_filter: filter === true,
  };
}
