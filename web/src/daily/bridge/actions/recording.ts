/** Requests about the recording of the meeting; owners may make them. */
import { DoorError } from '../../call/door';
import { inMeeting, optionalText, type Action, type MeetingAction } from './context';

export const RECORDING_ACTIONS: Readonly<Record<string, Action>> = {
  'local-recording-start': record(true),
  'local-recording-stop': record(false),
};

function record(on: boolean): Action {
  const ask: MeetingAction = async ({ type, instanceId }, reply, { meeting, wire }) => {
    const instance = optionalText(instanceId);
    try {
      await meeting.record(on, optionalText(type), instance);
      reply({});
    } catch (error) {
      const errorMsg = error instanceof DoorError ? error.message : String(error);
      reply({ error: { type: 'recording', msg: errorMsg }, errorMsg });
      wire.post('recording-error', { errorMsg, ...(instance !== undefined && { instanceId: instance }) });
    }
  };
  return inMeeting(ask);
}
