/** Sets the client library's log level; its default, `info`, logs several lines for each participant who joins or leaves. */
import { LogLevel, setLogLevel } from 'livekit-client';

setLogLevel(LogLevel.warn);
