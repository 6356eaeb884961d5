/* What the files of the data plane share. */
#ifndef LECTERN_PLANE_INTERNAL_H
#define LECTERN_PLANE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "send.h"
#include "plane.h"
#include "wire.h"

enum { RECEIVE_BATCH = 64, RECEIVE_STRIDE = 2048, AUDIO_KEPT = 256, VIDEO_KEPT = 512, DROPPED_KEPT = 1024, RECENT = 16 };

/* The template structure that a keyframe defines for all following frames (descriptor.c). Used by the stream and by the
 * kept packets that it is in force for. */
enum { MAX_TEMPLATES = 64, MAX_TARGETS = 32 };
struct structure {
    int users;
    uint32_t number; /* counted by the stream */
    uint8_t offset, templates, targets, chains;
    uint8_t spatial[MAX_TEMPLATES], temporal[MAX_TEMPLATES];
    uint16_t needed[MAX_TEMPLATES]; /* sets of operating points that need the frames of a template */
    uint16_t points[MAX_TARGETS];   /* those of each decode target */
    uint8_t size, data[MAX_DESCRIPTOR]; /* the descriptor that brought it */
};

/* A packet that is kept for retransmission, and the redundancy that was made for it: (offset, length, octets) each. */
struct kept {
    int64_t sequence;
    uint8_t *data; /* the packet, then the redundancy */
    struct structure *structure;
    uint32_t active;
    uint16_t length, redundancy;
};

/* A packet that is missing; nack.c. */
struct missing {
    int64_t number, early_from;
    double at;
    int tries;
};

struct nacks {
    int64_t highest, early_from; /* -1: none */
    double next_at;              /* infinite: nothing is due */
    int count;
    struct missing missing[2 * MAX_NACKS];
};

/* Viewers whose answers are equal. */
struct group {
    struct template_class class_;
    int count, room;
    struct column *columns;
};

/* How many packets a viewer of screens may be sent beyond those that its reports have confirmed; window.c. One for each
 * transport that has bounded rows. */
struct window {
    int32_t transport;
    uint32_t size;         /* in packets */
    uint16_t confirmed;    /* transport-wide number after the last one that a report said arrived */
    uint16_t begun_at;     /* the next transport-wide number when a picture met the first window last */
    uint16_t counted_from; /* that one, or a later one up to which no report was waited for any longer */
    uint16_t numbered;     /* the next transport-wide number when `written` was counted */
    uint32_t written;      /* rows that get their numbers with the next flush */
    bool started;
    double patience_s; /* so long a packet waits for a report */
    uint32_t burst; /* packets since `burst_since` */
    double burst_since;
    double asked_at;   /* when a packet was to be sent last */
    double busy_at;    /* when a burst that fills the first window, or a waiting packet, was sent last */
    double due_at;     /* when no report is waited for any longer; infinite: nothing waits */
    struct bounded *rows;
};

/* A row that sends what its window admits. What waits is in the stream's history, from `next` on. */
struct bounded {
    struct template_class class_;
    struct column column;
    int64_t next;         /* the first sequence number that it was not sent */
    struct position sent; /* of the last packet that it was sent */
    struct stream *stream;
    struct window *window;
    struct bounded *in_stream, *in_window; /* the next rows there */
};

struct stream {
    struct stream_state state;
    uint64_t uid;
    int32_t transport;
    uint32_t ssrc, clock_rate;
    bool video, redundant, started, notify_next;
    struct section section;
    /* numbers */
    int64_t unwrapped; /* highest; -1: none */
    int64_t dropped[DROPPED_KEPT + 1];
    int dropped_count;
    int64_t dropped_before; /* how many were dropped before those */
    /* statistics */
    double last_at;
    uint32_t last_timestamp;
    bool keyframe_open; /* a keyframe that may not be whole yet */
    uint32_t keyframe_timestamp;
    struct nacks nacks;
    /* the packets whose payloads may be repeated as redundancy */
    int64_t recent[RECENT];
    int recent_count;
    struct kept *kept;
    int kept_mask;
    /* of the newest packet's dependency descriptor */
    struct structure *structure;
    uint32_t structures, active;
    struct group *groups;
    int group_count;
    struct bounded *bounded;
    int64_t unsent_from; /* what was received before the last change of `muted` no longer waits */
};

struct known_ssrc {
    uint32_t ssrc;
    bool retransmissions;
    struct stream *stream;
};

/* Arrivals that are to be reported to a publisher; feedback.c. */
struct arrival {
    int64_t number, ticks;
};

struct feedback {
    int64_t highest, following; /* -1: none; `following` is the number after the last report */
    struct arrival *fresh, *reported;
    int fresh_count, reported_count;
    uint32_t count;
    double due_at, last_built_at;
};

struct bucket {
    double left, at;
};

/* An SSRC whose first packet went up; held.c. */
enum { MAX_UNKNOWN = 16 };
struct unknown {
    uint32_t ssrc;
    uint64_t serial; /* of the punt */
};

/* What the consent checks of a peer are answered by; consent.c. */
enum { MAX_UFRAG = 32 };
struct consent {
    uint8_t path[PATH_BYTES]; /* the one in use; its checks are answered */
    uint8_t ufrag[MAX_UFRAG];
    uint32_t ufrag_size; /* 0: the control plane answers all checks */
    uint32_t inner[5], outer[5]; /* of HMAC-SHA1 with the password, after the key */
    struct bucket budget;
    double at; /* when the last check was answered; below 0: none was */
};

struct transport {
    int32_t index;
    uintptr_t inbound;
    uint32_t ssrc, media_ssrc;
    uint8_t kinds[256]; /* of extension ids: the transport-wide number alone */
    bool dormant;
    int flooded;
    struct sampling sampling;
    struct peer_limits limits;
    struct bucket packets, octets, rtcp;
    struct excess excess;
    struct consent consent;
    struct known_ssrc *ssrcs; /* most peers only listen, and have none */
    int ssrc_count, ssrc_room;
    struct unknown unknown[MAX_UNKNOWN];
    int unknown_count;
    struct held *held; /* packets of these, oldest first */
    int held_count;
    struct feedback feedback;
};

struct path {
    uint8_t bytes[PATH_BYTES];
    int32_t transport; /* -1: empty */
};

struct buffer {
    uint8_t *data;
    size_t used, room;
};

struct plane {
    /* Fair: whoever waits for `next` gets the plane when its holder is done (plane_lock). */
    pthread_mutex_t next, mutex;
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    int wake_fd, punt_fd;
    double next_due;
    uintptr_t unprotect, unprotect_rtcp, protect_rtcp;
    struct outbox outbox;
    int rows;
    struct transport *transports[MAX_TRANSPORTS];
    int32_t transports_end; /* all used indexes are below */
    struct window *windows[MAX_TRANSPORTS]; /* by transport; NULL: it has no bounded rows */
    int32_t windows_end;
    struct path *paths;
    int path_count, path_room; /* a power of two */
    struct stream **streams;   /* by slot; a uid is slot + MAX_STREAMS * generation */
    uint64_t *generations;
    int unknown_count; /* of all transports */
    struct buffer punts[2];
    int filling;
    uint64_t serial;
    bool told;      /* the control plane knows that punts wait */
    double tell_at; /* when it is told of those that can wait */
    struct plane_counters counters;
    /* of the received batch */
    uint8_t *received;
};

enum { MAX_STREAMS = 4096, MAX_PUNT_OCTETS = 16 << 20 };

void plane_lock(struct plane *plane);
void plane_unlock(struct plane *plane);

/* schedule.c: the priority of the calling thread. */
struct schedule {
    bool may_change, real_time;
    double checked_at, cpu_s;
};
void schedule_begin(struct schedule *schedule, double now);
void schedule_check(struct schedule *schedule, double now);
/* Choose the priority for a thread that needed this share of a core; part of schedule_check. */
void schedule_load(struct schedule *schedule, double share);

/* plane.c, tables.c */
void read_position(const struct stream *stream, struct position *position);
/* The highest number of a packet; that packet came late if it is not the stream's `highest`, after padding that was left out. */
int64_t newest_number(const struct stream *stream);
struct stream *find_stream(struct plane *plane, uint64_t uid);
const struct known_ssrc *find_ssrc(const struct transport *transport, uint32_t ssrc);
struct transport *find_transport(struct plane *plane, int32_t index);
void free_transport(struct plane *plane, struct transport *transport);
uint64_t punt(struct plane *plane, int reason, int flags, int32_t transport, uint64_t stream, int64_t sequence, double at,
              const uint8_t *path, struct bytes content);
/* Tell the control plane of an RTCP packet within `wait_s`. Whatever it is told of before takes the packet along. */
void punt_later(struct plane *plane, int32_t transport, double at, struct bytes content, double wait_s);
int32_t find_path(const struct plane *plane, const uint8_t *path);
void flush_rows(struct plane *plane, double now);
int send_rtcp(struct plane *plane, struct transport *transport, const uint8_t *data, uint32_t length);
/* Let the thread read `next_due` again. */
void wake(struct plane *plane);

/* send.c: an empty message on the path of a transport. */
void address_message(const struct outbox *outbox, int32_t transport, struct msghdr *message);

/* limits.c */
void fill(struct bucket *bucket, double burst);
/* Take from a budget, or return false if it has less left. */
bool take_tokens(struct bucket *bucket, double per_s, double burst, double cost, double now);
bool may_send_rtp(struct transport *transport, uint32_t ssrc, uint32_t octets, double now);
bool may_send_rtcp(struct transport *transport, uint32_t octets, double now);

/* consent.c */
void consent_start(struct consent *consent);
/* Answer a consent check; false if the control plane has to look at the datagram. */
bool answer_check(struct plane *plane, struct bytes datagram, const uint8_t *path, double now);

/* held.c. Whether a packet waits, since its SSRC is unknown and an earlier one went up. */
bool hold(struct plane *plane, struct transport *transport, uint32_t ssrc, struct bytes packet, double now);
void punt_unknown(struct plane *plane, struct transport *transport, uint32_t ssrc, struct bytes packet, double now);
void drop_held(struct plane *plane, struct transport *transport);

/* receive.c */
void on_datagram(struct plane *plane, uint8_t *data, uint32_t length, const uint8_t *path, double now);
void on_rtp(struct plane *plane, struct transport *transport, struct bytes packet, double now, bool injected);
const struct kept *find_kept(const struct stream *stream, int64_t sequence);
/* A kept packet, parsed; false if it is not kept. */
struct parsed {
    struct bytes packet;
    struct header header;
    struct frame frame;
    int64_t sequence;
    uint32_t timestamp;
    int codec;
    bool marker, has_redundancy;
    struct bytes redundancy;
    /* of the dependency descriptor; NULL: there is none, or it could not be read */
    struct structure *structure;
    uint32_t active;
    uint16_t frame_number;
};
bool read_kept(const struct stream *stream, int64_t sequence, struct parsed *parsed);
void free_stream(struct stream *stream);

/* template.c: rewrite a packet for a class of viewers; false if they cannot receive it. `data` has ARENA_STRIDE bytes. */
bool make_template(const struct template_class *class_, const struct parsed *parsed, uint8_t *data, struct template *template);
/* Write rows of a packet, sending what is there first where there is no room. */
void write_stream_rows(struct plane *plane, const struct template_class *class_, const struct column *columns, int count,
                       const struct parsed *parsed, double now);

/* descriptor.c */
struct described {
    bool starts, attached;
    uint16_t frame_number, points;
    uint8_t spatial, temporal;
    uint32_t active;
};
/* Read a descriptor by the structure in force, or by its own, which is then in `fresh`; false if it is malformed. */
bool read_descriptor(struct bytes data, const struct structure *known, uint32_t active, struct structure *fresh, struct described *described);
struct structure *structure_use(struct structure *structure);
void structure_drop(struct structure *structure);

/* nack.c; true when `next_at` may be earlier now */
bool nack_received(struct nacks *nacks, int64_t number, double now);
int nack_due(struct nacks *nacks, double now, int64_t *numbers);
void nack_start(struct nacks *nacks);
uint32_t build_nack(uint32_t sender_ssrc, uint32_t media_ssrc, const int64_t *numbers, int count, uint8_t *data);

/* feedback.c; true when `due_at` has changed */
bool feedback_received(struct feedback *feedback, uint32_t number, double now);
/* Build the reports that are due, and call `send` with each. */
void feedback_build(struct feedback *feedback, uint32_t sender_ssrc, uint32_t media_ssrc, double now,
                    void (*send)(void *context, const uint8_t *data, uint32_t length), void *context);
void feedback_start(struct feedback *feedback);
void feedback_end(struct feedback *feedback);

/* sampling.c: whether a report shows neither a queue nor losses, judged by its last packet; false if it is malformed.
 * `arrived` becomes the number of that packet, -1 without one. */
bool shows_no_limit(const struct outbox *outbox, int32_t transport, const struct sampling *sampling, struct bytes packet, int32_t *arrived);

/* window.c */
/* Send a packet that the stream has just kept to its bounded rows, as far as their windows admit it. */
void window_forward(struct plane *plane, struct stream *stream, const struct parsed *parsed, bool late, double now);
/* Move the window of a transport by the reports of arrivals in an RTCP packet, and send what waited for them. */
void window_on_rtcp(struct plane *plane, const struct transport *transport, struct bytes packet, double now);
/* Send what has waited too long for a report; when that is next to be done. */
double window_duties(struct plane *plane, double now);
struct bounded *find_bounded(const struct stream *stream, int32_t transport);
void remove_bounded(struct plane *plane, struct bounded *row);

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

#endif
