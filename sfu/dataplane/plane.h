/* The tables of the data plane, and what the control plane may do with them. Read by the C compiler and by cffi, so
 * plain declarations only; send.h is read before.
 *
 * Every function takes the plane's lock for as long as it runs, so what it does happens between two bursts of received
 * datagrams. README.md draws the tables. */

enum { PATH_LIMIT = 131072, SSRC_LIMIT = 64, POINT_SETS = 64, SPATIAL_LAYERS = 4, TEMPORAL_LAYERS = 4, MAX_NACKS = 100,
       FRAMES_SHOWN = 64, MAX_DESCRIPTOR = 255 };

/* Codecs that the plane looks into; every other one has a number from CODEC_OTHER on, and is forwarded as it is. */
enum { CODEC_NONE, CODEC_OPUS, CODEC_RED, CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_H265, CODEC_AV1, CODEC_OTHER, CODECS = 32 };

/* Header extensions that are written anew for viewers. */
enum { EXTENSION_NONE, EXTENSION_TRANSPORT_SEQUENCE, EXTENSION_AUDIO_LEVEL, EXTENSION_ORIENTATION, EXTENSION_PLAYOUT_DELAY,
       EXTENSION_CAPTURE_TIME, EXTENSION_DESCRIPTOR, EXTENSIONS };

/* sfu.wire.red.RedundancyLevel */
enum { REDUNDANCY_NONE, REDUNDANCY_AS_SENT, REDUNDANCY_DEEP };

/* Why something goes up to the control plane; sfu.dataplane.punts.Punt. */
enum {
    PUNT_DATAGRAM = 1,      /* STUN, DTLS, and whatever is neither RTP nor RTCP of a known path: as received */
    PUNT_RTCP,              /* decrypted */
    PUNT_UNKNOWN_SSRC,      /* decrypted; further packets of the SSRC wait for plane_resume */
    PUNT_COPY,              /* forwarded; somebody who is served by the control plane needs it as well */
    PUNT_FIRST,             /* the first packet of a stream: its payload type */
    PUNT_KEYFRAME,          /* a keyframe begins with this sequence number */
    PUNT_NEXT,              /* the packet that was waited for (plane_notify_next) */
    PUNT_RESUMED,           /* a transport sends again (plane_dormant) */
    PUNT_LEVEL,             /* the first audio level since the last plane_take_level */
    PUNTS
};
enum { COPY_LATE = 1, COPY_NEW_PICTURE = 2 };

/* What goes up: this, then `length` bytes, then padding to a multiple of 8. `path` is that of a datagram; of a copy, it
 * begins with struct seen. */
struct punt {
    uint32_t size;
    uint16_t reason;
    uint16_t flags;
    int32_t transport;
    uint32_t length;
    uint64_t stream; /* its uid; 0: none */
    int64_t sequence;
    double at;
    uint8_t path[72];
};

/* The structure by which a dependency descriptor is read (plane_structure), with its active decode targets as a bit mask;
 * number 0: none. */
struct in_force {
    uint32_t structure, active;
};

/* The numbers of a packet of a stream. */
struct position {
    int64_t sequence;
    uint32_t timestamp;
    uint16_t picture_id, frame_number;
    uint8_t tl0picidx;
};

/* What had been seen of a stream before the packet of a copy. */
struct seen {
    uint64_t sets_since_keyframe;
    struct position newest;
    struct in_force in_force;
    uint8_t max_temporal;
};

/* sfu.drops.DropReason, those of the plane */
enum {
    DROP_MALFORMED, DROP_OVERSIZE, DROP_UNKNOWN_PAYLOAD_TYPE, DROP_PADDING, DROP_DUPLICATE, DROP_MUTED, DROP_UNAUTHENTIC,
    DROP_UNKNOWN_SOURCE, DROP_NOT_PROTECTED, DROP_NOT_SENT, DROP_RTP_RATE, DROP_RTCP_RATE, DROP_PUNTS_FULL, DROP_STUN, DROPS
};

struct plane_counters {
    uint64_t received_packets, forwarded_packets, bursts, checks;
    uint64_t drops[DROPS];
    uint64_t punts[PUNTS];
};

/* Extension ids and payload types of viewers with equal answers: sfu.fanout.template.TemplateClass. */
struct template_class {
    int16_t payload_types[CODECS]; /* by codec; -1: none */
    uint8_t extension_ids[EXTENSIONS]; /* 0: none */
    uint8_t redundancy;
};

/* How packets of a media section are read: sfu.session.sections.InboundSection. */
struct section {
    uint8_t codecs[128];        /* by payload type; CODEC_NONE: not negotiated */
    uint8_t media_by_rtx[128];  /* by payload type of retransmissions; 0xFF: none */
    uint8_t extensions[256];    /* by id */
};

/* What the control plane reads of a stream without the lock: each field by itself is whole. */
struct stream_state {
    int64_t highest;            /* extended sequence number, padding left out; -1: none yet */
    int64_t keyframe_sequence;  /* of the last keyframe's first packet; -1: none is kept */
    int64_t retained_octets, keyframe_octets;
    uint32_t highest_timestamp;
    uint16_t picture_id, frame_number;
    uint8_t tl0picidx, max_temporal, muted, copies;
    double last_packet_at;
    double seen_at[SPATIAL_LAYERS]; /* below 0: never */
    /* RFC 3550 appendix A */
    int64_t received_packets, base_number, highest_number;
    double jitter;
    /* totals, of which the control plane takes differences */
    int64_t forwarded_packets, forwarded_octets;
    uint16_t point_sets[POINT_SETS];
    int64_t octets[POINT_SETS];
    int64_t pictures[TEMPORAL_LAYERS];
    uint64_t sets_since_keyframe; /* bit mask over point_sets */
    int32_t set_count;
    /* the last frames with dependency descriptors, by number modulo FRAMES_SHOWN (sfu.wire.frames.FramesShown); -1: none */
    int32_t frame_numbers[FRAMES_SHOWN];
    uint16_t frame_points[FRAMES_SHOWN];
    /* audio levels since the last plane_take_level (sfu.receiving.speakers) */
    double observed_at, observed_s, active_s;
    int32_t loudest;
};

struct peer_limits {
    double packets_per_s, packets_burst, octets_per_s, octets_burst, rtcp_per_s, rtcp_burst;
    double rtcp_datagram_octets;
    int32_t tolerated_excess, flood_price;
};

/* Which of a viewer's reports of arrivals go up: sfu.bandwidth.estimator.Sampling. */
struct sampling {
    int calm;
    double full_from;
    double delay_s; /* from sending to arrival, of which more shows a queue */
    double loss;    /* share of lost packets, of which more shows a limit */
    int64_t reference; /* time of the last report that went up, in units of 64 ms */
};

/* The excess of a second, by SSRC (0: of no stream of its own). */
struct excess {
    int32_t dropped, taken, forged, count;
    uint32_t ssrcs[65];
    int32_t packets[65];
};

struct plane;

/* `shared` has the socket, the transports' arrays and libsrtp's srtp_protect. Two eventfds: `wake_fd` ends the thread's wait, `punt_fd` is readable while punts wait.
 * The three functions are libsrtp's. NULL without memory. */
struct plane *plane_new(int wake_fd, int punt_fd, const struct outbox *shared, uintptr_t unprotect, uintptr_t unprotect_rtcp,
                        uintptr_t protect_rtcp);
void plane_free(struct plane *plane);
/* Serve on a thread of its own; 0, or an errno. */
int plane_start(struct plane *plane);
void plane_stop(struct plane *plane);
/* Receive and process what waits, on the caller's thread; the number of datagrams. */
int plane_poll(struct plane *plane, double now);
/* Process one datagram as if it had been received at `now`; for tests and the fuzzer. */
void plane_datagram(struct plane *plane, const uint8_t *data, uint32_t length, const uint8_t *path, double now);
/* Send the reports and requests that are due, and return when the next one is. */
double plane_duties(struct plane *plane, double now);

/* The control plane's rows: protect and send, under the lock. See protect_and_send. */
int plane_send_rows(struct plane *plane, struct outbox *outbox, int count, double now);
/* The arrays of sent packets have moved. */
void plane_set_log(struct plane *plane, struct outbox *outbox, double *sent_at, uint16_t *sizes, uint16_t *numbers, int32_t transports);
/* Protect and send one RTCP packet; 0, or -1. */
int plane_send_rtcp(struct plane *plane, int32_t transport, const uint8_t *data, uint32_t length);

/* Transports. `inbound` is libsrtp's session for what the peer sends, `ssrc` the server's own in reports. */
int plane_connect(struct plane *plane, int32_t transport, uintptr_t inbound, uintptr_t outbound, uint32_t ssrc,
                  const struct peer_limits *limits);
void plane_disconnect(struct plane *plane, int32_t transport);
/* Where to send to. */
void plane_move(struct plane *plane, int32_t transport, const uint8_t *path);
/* Take datagrams from a path for a transport; -1: no longer. 0, or -1 when the table is full. */
int plane_set_path(struct plane *plane, const uint8_t *path, int32_t transport);
/* Answer the consent checks of a transport that come by this path and have these credentials, of at most 32 and 64 octets; an
 * empty ufrag: none. */
void plane_answer_checks(struct plane *plane, int32_t transport, const uint8_t *path, const uint8_t *ufrag, uint32_t ufrag_size,
                         const uint8_t *password, uint32_t password_size);
/* When the last of them was answered; below 0: none was. */
double plane_consent_at(struct plane *plane, int32_t transport);
void plane_sample_reports(struct plane *plane, int32_t transport, const struct sampling *sampling);
/* Id of the extension with transport-wide numbers; 0: none. */
void plane_set_feedback(struct plane *plane, int32_t transport, uint8_t extension_id, uint32_t media_ssrc);
/* Tell (PUNT_RESUMED) when the transport sends media again. */
void plane_dormant(struct plane *plane, int32_t transport);
void plane_close_second(struct plane *plane, int32_t transport, struct excess *excess);
void plane_set_flooded(struct plane *plane, int32_t transport, int flooded);

/* Streams. 0 without memory or room; otherwise the uid. */
uint64_t plane_add_stream(struct plane *plane, int32_t transport, uint32_t ssrc, int video, int redundant, uint32_t clock_rate,
                          const struct section *section, double now);
const struct stream_state *plane_state(struct plane *plane, uint64_t stream);
void plane_set_section(struct plane *plane, uint64_t stream, const struct section *section);
/* An SSRC with the retransmissions of a stream. -1 when there is no room. */
int plane_add_ssrc(struct plane *plane, int32_t transport, uint32_t ssrc, uint64_t stream);
void plane_remove_stream(struct plane *plane, uint64_t stream);
void plane_set_muted(struct plane *plane, uint64_t stream, int muted);
/* Copy the stream's packets to the control plane; `position` is that of the last one without a copy. */
void plane_set_copies(struct plane *plane, uint64_t stream, int copies, struct position *position);
void plane_notify_next(struct plane *plane, uint64_t stream);
void plane_position(struct plane *plane, uint64_t stream, struct position *position);
/* Take the audio levels; returns whether there were any. */
int plane_take_level(struct plane *plane, uint64_t stream, double *values);
/* A kept packet, besides its octets. */
struct stored {
    uint32_t redundancy; /* length of the redundancy that was made for it; UINT16_MAX: none was */
    struct in_force in_force;
};

/* Copy a kept packet, and after it its redundancy, into `data`; its length, 0 if it is not kept. */
int plane_stored(struct plane *plane, uint64_t stream, int64_t sequence, uint8_t *data, uint32_t size, struct stored *stored);
/* Copy the dependency descriptor (MAX_DESCRIPTOR octets at most) that brought a structure; its length, 0 if it is unknown. */
int plane_structure(struct plane *plane, uint64_t stream, uint32_t number, uint8_t *data);
/* Whether all packets from `first` to the newest are kept. */
int plane_keeps(struct plane *plane, uint64_t stream, int64_t first);

/* Rows, one for each transport. Add a viewer, and send it what is kept after sequence number `after`. 0, or -1 without memory. */
int plane_join(struct plane *plane, uint64_t stream, const struct template_class *class_, const struct column *column,
               int64_t after, double now);
/* The same with a bounded row, which sends no more than reports of arrivals confirm step by step (window.c). Without a
 * report for `patience_s`, what waits is sent all the same. `after` has the numbers of the last packet that was sent. */
int plane_join_bounded(struct plane *plane, uint64_t stream, const struct template_class *class_, const struct column *column,
                       const struct position *after, double patience_s, double now);
/* Remove a viewer; -1 if it is not there. `position` is that of the last packet that it was sent. */
int plane_leave(struct plane *plane, uint64_t stream, int32_t transport, struct position *position);
/* The same for a viewer with a bounded row, after sending it all that waits. */
int plane_release(struct plane *plane, uint64_t stream, int32_t transport, struct position *position, double now);
/* The position of a viewer with a bounded row; -1 if it is not there. */
int plane_bounded_position(struct plane *plane, uint64_t stream, int32_t transport, struct position *position);

/* What was punted since the last call; valid until the next one. */
size_t plane_take(struct plane *plane, uint8_t **data, uint64_t *serial);
/* Process a decrypted packet that was punted, and that arrived at `at`. */
void plane_inject(struct plane *plane, int32_t transport, const uint8_t *data, uint32_t length, double at, double now);
/* All punts up to `serial` have been dealt with: what waited for them is processed. */
void plane_resume(struct plane *plane, uint64_t serial, double now);
void plane_read_counters(struct plane *plane, struct plane_counters *counters);
/* Rows of a stream, for people: up to `size` columns; their number. */
int plane_read_rows(struct plane *plane, uint64_t stream, struct column *columns, int size);
/* A bounded row, for people. */
struct bounded_row {
    uint32_t ssrc;
    int32_t transport;
    int64_t next, waiting;
    uint32_t unconfirmed, window;
};
int plane_read_bounded_rows(struct plane *plane, uint64_t stream, struct bounded_row *rows, int size);
