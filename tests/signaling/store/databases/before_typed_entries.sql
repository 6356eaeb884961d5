BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE api_keys (
	"key" VARCHAR(256) NOT NULL, 
	sealed_secret TEXT NOT NULL, 
	note VARCHAR(256) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	revoked_at DOUBLE, 
	PRIMARY KEY ("key")
);
CREATE TABLE deliveries (
	number INTEGER NOT NULL, 
	endpoint_id VARCHAR(64) NOT NULL, 
	resource VARCHAR(640) NOT NULL, 
	event_id VARCHAR(64) NOT NULL, 
	event VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at DOUBLE NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "deliveries" VALUES(1,'e-livekit','room/algebra','EV_d8d0d4838862b8d08497','room_finished','{"event": "room_finished", "room": {"sid": "RM_algebra", "name": "algebra", "emptyTimeout": 300, "maxParticipants": 9, "creationTime": "1000", "enabledCodecs": [{"mime": "audio/opus"}, {"mime": "audio/red"}, {"mime": "video/VP8"}, {"mime": "video/H264"}, {"mime": "video/VP9"}, {"mime": "video/AV1"}], "metadata": "changed", "departureTimeout": 20, "creationTimeMs": "1000500"}, "id": "EV_d8d0d4838862b8d08497", "createdAt": "1019", "roomEndReason": "ROOM_END_IDLE_TIMEOUT"}',1500.0,0,1500.0);
INSERT INTO "deliveries" VALUES(2,'e-daily','RM_algebra','EV_d8d0d4838862b8d08497','meeting.ended','{"version":"1.0.0","type":"meeting.ended","id":"EV_d8d0d4838862b8d08497","payload":{"start_ts":1001,"end_ts":1019.25,"meeting_id":"616c6765-6272-8000-8000-610000000000","room":"algebra"},"event_ts":1019.25}',1500.0,0,1500.0);
CREATE TABLE documents (
	namespace VARCHAR(256) NOT NULL, 
	"key" VARCHAR(256) NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY (namespace, "key")
);
INSERT INTO "documents" VALUES('server','alive_at',2000);
CREATE TABLE endpoints (
	id VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	url VARCHAR(2048) NOT NULL, 
	room VARCHAR(256) NOT NULL, 
	settings JSON NOT NULL, 
	created_at DOUBLE NOT NULL, 
	failures INTEGER NOT NULL, 
	paused BOOLEAN NOT NULL, 
	last_at DOUBLE, sealed TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "endpoints" VALUES('e-livekit','livekit','https://school.example/livekit','','{"events": []}',900.0,0,0,NULL,NULL);
INSERT INTO "endpoints" VALUES('e-daily','daily','https://school.example/daily','','{"domain": "school", "retryType": "exponential", "eventTypes": ["meeting.started", "meeting.ended", "participant.joined", "participant.left"]}',901.0,0,0,NULL,'vcXULjR+mwD4xP+5Um3tP+DoxWms4O/o25XqjRrDMLCnZs3Z84qDX+e38KWycolL7iaqcA==');
CREATE TABLE events (
	session_sid VARCHAR(64) NOT NULL, 
	seq INTEGER NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	data JSON NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (session_sid, seq)
);
INSERT INTO "events" VALUES('RM_algebra',1,'room_started','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": null, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 0, "publishers": 0}}',1001.25);
INSERT INTO "events" VALUES('RM_algebra',2,'room_visited','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 0, "publishers": 0}}',1002.25);
INSERT INTO "events" VALUES('RM_algebra',3,'participant_joined','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 1, "publishers": 0}, "participant": {"sid": "PA_ada", "identity": "ada", "name": "Ada", "metadata": "meta", "attributes": {"lectern.user_id": "u-1", "a": "b"}, "permissions": {"admin": [], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": [], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": false, "hidden": false, "receiving": {"base": ["camera", "microphone", "screen_share", "screen_share_audio", "unknown"], "by_identity": {}, "by_user_id": {}}, "recorder": false}, "joined_at": 1001.0, "leaves_at": null, "connected_at": 0.0, "kind": "standard", "is_publisher": false, "state": "JOINING", "version": 1}}',1003.25);
INSERT INTO "events" VALUES('RM_algebra',4,'participant_joined','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 0}, "participant": {"sid": "PA_ben", "identity": "ben", "name": "Ben", "metadata": "", "attributes": {}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.0, "leaves_at": 9000.0, "connected_at": 0.0, "kind": "standard", "is_publisher": false, "state": "JOINING", "version": 1}}',1004.25);
INSERT INTO "events" VALUES('RM_algebra',5,'participant_active','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 0}, "participant": {"sid": "PA_ada", "identity": "ada", "name": "Ada", "metadata": "meta", "attributes": {"lectern.user_id": "u-1", "a": "b"}, "permissions": {"admin": [], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": [], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": false, "hidden": false, "receiving": {"base": ["camera", "microphone", "screen_share", "screen_share_audio", "unknown"], "by_identity": {}, "by_user_id": {}}, "recorder": false}, "joined_at": 1001.0, "leaves_at": null, "connected_at": 1005.0, "kind": "standard", "is_publisher": false, "state": "ACTIVE", "version": 2}}',1005.25);
INSERT INTO "events" VALUES('RM_algebra',6,'participant_active','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 0}, "participant": {"sid": "PA_ben", "identity": "ben", "name": "Ben", "metadata": "", "attributes": {}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.0, "leaves_at": 9000.0, "connected_at": 1005.0, "kind": "standard", "is_publisher": false, "state": "ACTIVE", "version": 2}}',1006.25);
INSERT INTO "events" VALUES('RM_algebra',7,'track_published','{"room": {"sid": "RM_algebra", "name": "algebra"}, "participant": {"sid": "PA_ada", "identity": "ada", "name": "Ada"}, "track": {"sid": "TR_camera", "kind": "video", "source": "camera", "name": "cam", "muted": false, "width": 0, "height": 0, "codec": "", "mid": "", "layers": [{"rid": "q", "width": 320, "height": 180, "bitrate_bps": 90000}, {"rid": "h", "width": 640, "height": 360, "bitrate_bps": 0}], "stereo": false, "dtx": true, "red": true}}',1007.25);
INSERT INTO "events" VALUES('RM_algebra',8,'visitor_came','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 1}, "visitor": {"identity": "K_eve", "name": "Eve", "attributes": {"lectern.user_id": "u-3"}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.5, "leaves_at": 9000.0}}',1008.25);
INSERT INTO "events" VALUES('RM_algebra',9,'unstorable','{"kind": "visitor_gone"}',1009.25);
INSERT INTO "events" VALUES('RM_algebra',10,'visitor_gone','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "m\u00fc", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 1}, "visitor": {"identity": "K_eve", "name": "Eve", "attributes": {"lectern.user_id": "u-3"}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.5, "leaves_at": 9000.0}}',1010.25);
INSERT INTO "events" VALUES('RM_algebra',11,'room_changed','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "changed", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 2, "publishers": 1}}',1011.25);
INSERT INTO "events" VALUES('RM_logic',1,'room_started','{"room": {"sid": "RM_logic", "name": "logic", "metadata": "", "owner": "school", "created_at": 1003.5, "visited_at": null, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 0, "participants": 0, "publishers": 0}}',1012.25);
INSERT INTO "events" VALUES('RM_logic',2,'room_visited','{"room": {"sid": "RM_logic", "name": "logic", "metadata": "", "owner": "school", "created_at": 1003.5, "visited_at": 1014.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 0, "participants": 1, "publishers": 0}}',1013.25);
INSERT INTO "events" VALUES('RM_algebra',12,'participant_moved_out','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "changed", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 1, "publishers": 1}, "participant": {"sid": "PA_ben", "identity": "ben", "name": "Ben", "metadata": "", "attributes": {}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.0, "leaves_at": 9000.0, "connected_at": 1005.0, "kind": "standard", "is_publisher": false, "state": "ACTIVE", "version": 2}, "to": "RM_logic"}',1014.25);
INSERT INTO "events" VALUES('RM_logic',3,'participant_moved_in','{"room": {"sid": "RM_logic", "name": "logic", "metadata": "", "owner": "school", "created_at": 1003.5, "visited_at": 1014.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 0, "participants": 1, "publishers": 0}, "participant": {"sid": "PA_ben", "identity": "ben", "name": "Ben", "metadata": "", "attributes": {}, "permissions": {"admin": ["participants"], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["camera"], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": true, "hidden": false, "receiving": {"base": [], "by_identity": {"ada": ["camera", "microphone"]}, "by_user_id": {}}, "recorder": false}, "joined_at": 1002.0, "leaves_at": 9000.0, "connected_at": 1005.0, "kind": "standard", "is_publisher": false, "state": "ACTIVE", "version": 2}, "from": "RM_algebra"}',1015.25);
INSERT INTO "events" VALUES('RM_logic',4,'track_published','{"room": {"sid": "RM_logic", "name": "logic"}, "participant": {"sid": "PA_ben", "identity": "ben", "name": "Ben"}, "track": {"sid": "TR_mic", "kind": "audio", "source": "microphone", "name": "", "muted": false, "width": 0, "height": 0, "codec": "", "mid": "", "layers": [], "stereo": true, "dtx": false, "red": true}}',1016.25);
INSERT INTO "events" VALUES('RM_algebra',13,'track_unpublished','{"room": {"sid": "RM_algebra", "name": "algebra"}, "participant": {"sid": "PA_ada", "identity": "ada", "name": "Ada"}, "track": {"sid": "TR_camera", "kind": "video", "source": "camera", "name": "cam", "muted": false, "width": 0, "height": 0, "codec": "", "mid": "", "layers": [{"rid": "q", "width": 320, "height": 180, "bitrate_bps": 90000}, {"rid": "h", "width": 640, "height": 360, "bitrate_bps": 0}], "stereo": false, "dtx": true, "red": true}}',1017.25);
INSERT INTO "events" VALUES('RM_algebra',14,'participant_left','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "changed", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 0, "publishers": 0}, "participant": {"sid": "PA_ada", "identity": "ada", "name": "Ada", "metadata": "meta", "attributes": {"lectern.user_id": "u-1", "a": "b"}, "permissions": {"admin": [], "agent": false, "can_manage_agent_session": false, "can_publish": true, "can_publish_data": true, "can_publish_sources": [], "can_subscribe": true, "can_subscribe_metrics": false, "can_update_own_metadata": false, "hidden": false, "receiving": {"base": ["camera", "microphone", "screen_share", "screen_share_audio", "unknown"], "by_identity": {}, "by_user_id": {}}, "recorder": false}, "joined_at": 1001.0, "leaves_at": null, "connected_at": 1005.0, "kind": "standard", "is_publisher": false, "state": "ACTIVE", "version": 2}, "reason": "CLIENT_LEFT"}',1018.25);
INSERT INTO "events" VALUES('RM_algebra',15,'room_finished','{"room": {"sid": "RM_algebra", "name": "algebra", "metadata": "changed", "owner": "school", "created_at": 1000.5, "visited_at": 1001.0, "empty_timeout_s": 300, "departure_timeout_s": 20, "max_participants": 9, "participants": 0, "publishers": 0}, "reason": "ROOM_CLOSED"}',1019.25);
CREATE TABLE recordings (
	id VARCHAR(64) NOT NULL, 
	room VARCHAR(256) NOT NULL, 
	session_sid VARCHAR(64) NOT NULL, 
	status VARCHAR(32) NOT NULL, 
	started_at DOUBLE NOT NULL, 
	ended_at DOUBLE, 
	details JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE rooms (
	name VARCHAR(256) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	made_by VARCHAR(256) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	settings JSON NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE sessions (
	sid VARCHAR(64) NOT NULL, 
	room VARCHAR(256) NOT NULL, 
	started_at DOUBLE NOT NULL, 
	ended_at DOUBLE, owner VARCHAR(256) DEFAULT '' NOT NULL, 
	PRIMARY KEY (sid)
);
INSERT INTO "sessions" VALUES('RM_algebra','algebra',1001.25,1019.25,'school');
INSERT INTO "sessions" VALUES('RM_logic','logic',1012.25,NULL,'school');
CREATE TABLE stays (
	session_sid VARCHAR(64) NOT NULL, 
	participant_sid VARCHAR(64) NOT NULL, 
	identity VARCHAR(256) NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	joined_at DOUBLE NOT NULL, 
	left_at DOUBLE, user_id VARCHAR(256), 
	PRIMARY KEY (session_sid, participant_sid)
);
INSERT INTO "stays" VALUES('RM_algebra','PA_ada','ada','Ada',1003.25,1018.25,'u-1');
INSERT INTO "stays" VALUES('RM_algebra','PA_ben','ben','Ben',1004.25,1014.25,'');
INSERT INTO "stays" VALUES('RM_logic','PA_ben','ben','Ben',1015.25,NULL,'');
CREATE INDEX sessions_by_room ON sessions (room, started_at);
CREATE INDEX sessions_by_start ON sessions (started_at);
CREATE INDEX recordings_by_room ON recordings (room, started_at);
CREATE INDEX deliveries_in_order ON deliveries (endpoint_id, resource, number);
CREATE INDEX rooms_by_age ON rooms (kind, made_by, created_at, name);
COMMIT;
