/* The plane itself: its lock, its thread, its tables and what it punts. */

#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "plane_internal.h"

typedef unsigned int (*protect_rtcp_function)(uintptr_t session, void *packet, int *length);

/* Whoever comes first waits with `next` in hand, so that the thread, which takes the plane for each burst, cannot come
 * back before it. */
void plane_lock(struct plane *plane)
{
    pthread_mutex_lock(&plane->next);
    pthread_mutex_lock(&plane->mutex);
    pthread_mutex_unlock(&plane->next);
}

void plane_unlock(struct plane *plane)
{
    pthread_mutex_unlock(&plane->mutex);
}

static double monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void signal_fd(int fd)
{
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

struct plane *plane_new(int wake_fd, int punt_fd, const struct outbox *shared, uintptr_t unprotect, uintptr_t unprotect_rtcp,
                        uintptr_t protect_rtcp)
{
    struct plane *plane = calloc(1, sizeof *plane);
    if (!plane)
        return NULL;
    pthread_mutex_init(&plane->next, NULL);
    pthread_mutex_init(&plane->mutex, NULL);
    plane->wake_fd = wake_fd;
    plane->punt_fd = punt_fd;
    plane->next_due = INFINITY;
    plane->unprotect = unprotect;
    plane->unprotect_rtcp = unprotect_rtcp;
    plane->protect_rtcp = protect_rtcp;
    struct outbox *outbox = &plane->outbox;
    *outbox = *shared;
    outbox->rows = calloc(ARENA_ROWS, ARENA_STRIDE);
    outbox->lengths = calloc(ARENA_ROWS, sizeof *outbox->lengths);
    outbox->transports = calloc(ARENA_ROWS, sizeof *outbox->transports);
    outbox->number_at = calloc(ARENA_ROWS, sizeof *outbox->number_at);
    outbox->last_rows = calloc(MAX_TRANSPORTS, sizeof *outbox->last_rows);
    outbox->logged_transports = 0; /* until plane_set_log */
    plane->received = calloc(RECEIVE_BATCH, RECEIVE_STRIDE);
    plane->stream_room = MAX_STREAMS;
    plane->streams = calloc(MAX_STREAMS, sizeof *plane->streams);
    plane->generations = calloc(MAX_STREAMS, sizeof *plane->generations);
    plane->path_room = 256;
    plane->paths = malloc(sizeof *plane->paths * 256);
    for (int i = 0; plane->paths && i < 256; i++)
        plane->paths[i].transport = -1;
    if (!outbox->rows || !outbox->lengths || !outbox->transports || !outbox->number_at || !outbox->last_rows ||
        !plane->received || !plane->streams || !plane->generations || !plane->paths) {
        plane_free(plane);
        return NULL;
    }
    return plane;
}

void plane_free(struct plane *plane)
{
    if (!plane)
        return;
    for (int i = 0; plane->streams && i < plane->stream_room; i++)
        if (plane->streams[i])
            free_stream(plane->streams[i]);
    for (int32_t i = 0; i < plane->transports_end; i++)
        if (plane->transports[i]) {
            feedback_end(&plane->transports[i]->feedback);
            free(plane->transports[i]);
        }
    free(plane->outbox.rows);
    free(plane->outbox.lengths);
    free(plane->outbox.transports);
    free(plane->outbox.number_at);
    free(plane->outbox.last_rows);
    free(plane->received);
    free(plane->streams);
    free(plane->generations);
    free(plane->paths);
    free(plane->punts[0].data);
    free(plane->punts[1].data);
    pthread_mutex_destroy(&plane->next);
    pthread_mutex_destroy(&plane->mutex);
    free(plane);
}

/* --- receiving --------------------------------------------------------------------------------------------------- */

struct batch {
    struct mmsghdr messages[RECEIVE_BATCH];
    struct iovec parts[RECEIVE_BATCH];
    _Alignas(struct cmsghdr) uint8_t paths[RECEIVE_BATCH][PATH_BYTES];
};

static int receive(struct plane *plane, struct batch *batch)
{
    for (int i = 0; i < RECEIVE_BATCH; i++) {
        struct msghdr *message = &batch->messages[i].msg_hdr;
        batch->parts[i] = (struct iovec){plane->received + (size_t)RECEIVE_STRIDE * (size_t)i, RECEIVE_STRIDE};
        memset(batch->paths[i], 0, PATH_BYTES);
        *message = (struct msghdr){
            .msg_name = batch->paths[i],
            .msg_namelen = plane->outbox.address_bytes,
            .msg_iov = batch->parts + i,
            .msg_iovlen = 1,
            .msg_control = batch->paths[i] + CONTROL_AT,
            .msg_controllen = plane->outbox.control_bytes,
        };
    }
    int count = recvmmsg(plane->outbox.fd, batch->messages, RECEIVE_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    for (int i = 0; i < count; i++) /* the interface is the kernel's to choose */
        memset(batch->paths[i] + plane->outbox.interface_at, 0, sizeof(uint32_t));
    return count < 0 ? 0 : count;
}

static int serve_batch(struct plane *plane, struct batch *batch, double at)
{
    int count = receive(plane, batch);
    if (!count)
        return 0;
    plane_lock(plane);
    double now = at < 0 ? monotonic_s() : at;
    plane->counters.bursts++;
    for (int i = 0; i < count; i++) {
        plane->counters.received_octets += batch->messages[i].msg_len;
        on_datagram(plane, plane->received + (size_t)RECEIVE_STRIDE * (size_t)i, batch->messages[i].msg_len, batch->paths[i], now);
    }
    flush_rows(plane, now);
    plane_unlock(plane);
    return count;
}

int plane_poll(struct plane *plane, double now)
{
    struct batch batch;
    int total = 0, count;
    do
        total += count = serve_batch(plane, &batch, now);
    while (count == RECEIVE_BATCH);
    return total;
}

void plane_datagram(struct plane *plane, const uint8_t *data, uint32_t length, const uint8_t *path, double now)
{
    plane_lock(plane);
    if (length <= RECEIVE_STRIDE) {
        memcpy(plane->received, data, length);
        on_datagram(plane, plane->received, length, path, now);
        flush_rows(plane, now);
    }
    plane_unlock(plane);
}

static void *serve(void *argument)
{
    struct plane *plane = argument;
    struct batch batch;
    struct pollfd polled[2] = {{plane->outbox.fd, POLLIN, 0}, {plane->wake_fd, POLLIN, 0}};
    while (!atomic_load(&plane->stopping)) {
        plane_lock(plane);
        double due = plane->next_due;
        plane_unlock(plane);
        double now = monotonic_s();
        if (now >= due)
            due = plane_duties(plane, now);
        double wait_s = fmin(fmax(due - monotonic_s(), 0), 1);
        struct timespec timeout = {(time_t)wait_s, (long)(1e9 * (wait_s - floor(wait_s)))};
        if (ppoll(polled, 2, &timeout, NULL) <= 0)
            continue;
        if (polled[1].revents) {
            uint64_t value;
            (void)!read(plane->wake_fd, &value, sizeof value);
        }
        /* an error that an earlier send caused is read with the socket */
        for (int i = 0; polled[0].revents && i < 8 && serve_batch(plane, &batch, -1) == RECEIVE_BATCH; i++)
            ;
    }
    return NULL;
}

int plane_start(struct plane *plane)
{
    /* signals are the interpreter's */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&plane->thread, NULL, serve, plane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    plane->running = !error;
    return error;
}

void plane_stop(struct plane *plane)
{
    if (!plane->running)
        return;
    atomic_store(&plane->stopping, true);
    signal_fd(plane->wake_fd);
    pthread_join(plane->thread, NULL);
    plane->running = false;
}

/* --- what is due ------------------------------------------------------------------------------------------------- */

struct publisher {
    struct plane *plane;
    struct transport *transport;
};

static void send_report(void *context, const uint8_t *data, uint32_t length)
{
    struct publisher *publisher = context;
    send_rtcp(publisher->plane, publisher->transport, data, length);
}

double plane_duties(struct plane *plane, double now)
{
    /* deadlines of many peers lie close together: one turn serves those of so long */
    static const double COALESCED_S = 0.005;
    plane_lock(plane);
    double due = INFINITY;
    for (int32_t i = 0; i < plane->transports_end; i++) {
        struct transport *transport = plane->transports[i];
        if (!transport)
            continue;
        if (now >= transport->feedback.due_at) {
            struct publisher publisher = {plane, transport};
            feedback_build(&transport->feedback, transport->ssrc, transport->media_ssrc, now, send_report, &publisher);
        }
        due = fmin(due, transport->feedback.due_at);
        for (int k = 0; k < transport->ssrc_count; k++) {
            struct stream *stream = transport->ssrcs[k].stream;
            if (!stream || transport->ssrcs[k].retransmissions)
                continue;
            if (now >= stream->nacks.next_at) {
                int64_t numbers[2 * MAX_NACKS];
                uint8_t data[12 + 4 * 2 * MAX_NACKS];
                int count = nack_due(&stream->nacks, now, transport->rtt_s, numbers);
                if (count)
                    send_rtcp(plane, transport, data, build_nack(transport->ssrc, stream->ssrc, numbers, count, data));
            }
            due = fmin(due, stream->nacks.next_at);
        }
    }
    plane->next_due = due == INFINITY ? due : fmax(due, now + COALESCED_S);
    due = plane->next_due;
    plane_unlock(plane);
    return due;
}

/* --- sending ----------------------------------------------------------------------------------------------------- */

void flush_rows(struct plane *plane, double now)
{
    if (!plane->rows)
        return;
    int count = plane->rows, sent = protect_and_send(&plane->outbox, count, now);
    plane->rows = 0;
    plane->counters.drops[DROP_NOT_PROTECTED] += (uint64_t)plane->outbox.not_protected;
    plane->counters.drops[DROP_NOT_SENT] += (uint64_t)(count - plane->outbox.not_protected - sent);
}

int plane_send_rows(struct plane *plane, struct outbox *outbox, int count, double now)
{
    plane_lock(plane);
    int sent = protect_and_send(outbox, count, now);
    plane_unlock(plane);
    return sent;
}

void plane_set_log(struct plane *plane, struct outbox *outbox, double *sent_at, uint16_t *sizes, uint16_t *numbers, int32_t transports)
{
    plane_lock(plane);
    struct outbox *both[2] = {&plane->outbox, outbox};
    for (int i = 0; i < 2; i++) {
        both[i]->sent_at = sent_at;
        both[i]->sent_sizes = sizes;
        both[i]->sent_numbers = numbers;
        both[i]->logged_transports = transports;
    }
    plane_unlock(plane);
}

int send_rtcp(struct plane *plane, struct transport *transport, const uint8_t *data, uint32_t length)
{
    enum { TRAILER_BYTES = 4 + 16 + 144 }; /* the index, the tag, an MKI */
    uint8_t packet[1500 + TRAILER_BYTES];
    int size = (int)length;
    uintptr_t session = plane->outbox.sessions[transport->index];
    if (!session || length > 1500)
        return -1;
    memcpy(packet, data, length);
    if (((protect_rtcp_function)plane->protect_rtcp)(session, packet, &size))
        return -1;
    uint8_t *path = plane->outbox.paths + PATH_BYTES * (size_t)transport->index;
    struct iovec part = {packet, (size_t)size};
    struct msghdr message = {
        .msg_name = path,
        .msg_namelen = plane->outbox.address_bytes,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = path + CONTROL_AT,
        .msg_controllen = plane->outbox.control_bytes,
    };
    return sendmsg(plane->outbox.fd, &message, MSG_DONTWAIT) < 0 ? -1 : 0;
}

int plane_send_rtcp(struct plane *plane, int32_t index, const uint8_t *data, uint32_t length)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    int done = transport ? send_rtcp(plane, transport, data, length) : -1;
    plane_unlock(plane);
    return done;
}

/* --- punts ------------------------------------------------------------------------------------------------------- */

uint64_t punt(struct plane *plane, int reason, int flags, int32_t transport, uint64_t stream, int64_t sequence, double at,
              const uint8_t *path, struct bytes content)
{
    struct buffer *buffer = plane->punts + plane->filling;
    size_t size = (sizeof(struct punt) + content.size + 7) & ~(size_t)7;
    if (buffer->used + size > buffer->room) {
        size_t room = buffer->room ? 2 * buffer->room : 1 << 16;
        uint8_t *data = room > MAX_PUNT_OCTETS ? NULL : realloc(buffer->data, room);
        if (!data) { /* the control plane has not read for seconds */
            plane->counters.drops[DROP_PUNTS_FULL]++;
            return plane->serial;
        }
        buffer->data = data;
        buffer->room = room;
    }
    struct punt *header = (struct punt *)(void *)(buffer->data + buffer->used);
    *header = (struct punt){
        .size = (uint32_t)size,
        .reason = (uint16_t)reason,
        .flags = (uint16_t)flags,
        .transport = transport,
        .length = content.size,
        .stream = stream,
        .sequence = sequence,
        .at = at,
    };
    if (path)
        memcpy(header->path, path, PATH_BYTES);
    if (content.size)
        memcpy(header + 1, content.data, content.size);
    if (!buffer->used)
        signal_fd(plane->punt_fd);
    buffer->used += size;
    plane->counters.punts[reason]++;
    return ++plane->serial;
}

size_t plane_take(struct plane *plane, uint8_t **data, uint64_t *serial)
{
    plane_lock(plane);
    struct buffer *full = plane->punts + plane->filling, *empty = plane->punts + !plane->filling;
    plane->filling = !plane->filling;
    empty->used = 0;
    if (empty->room > 1 << 20) { /* the memory of a long wait is given back */
        free(empty->data);
        *empty = (struct buffer){0};
    }
    *data = full->data;
    *serial = plane->serial;
    size_t used = full->used;
    plane_unlock(plane);
    return used;
}

void plane_inject(struct plane *plane, int32_t index, const uint8_t *data, uint32_t length, double at)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        on_rtp(plane, transport, (struct bytes){data, length}, at, true);
        flush_rows(plane, at);
    }
    plane_unlock(plane);
}

void plane_resume(struct plane *plane, uint64_t serial)
{
    plane_lock(plane);
    for (int i = 0; i < plane->stream_room; i++) {
        struct stream *stream = plane->streams[i];
        if (stream && stream->punted && stream->last_punt <= serial)
            stream->punted = false;
    }
    plane_unlock(plane);
}

void plane_read_counters(struct plane *plane, struct plane_counters *counters)
{
    plane_lock(plane);
    *counters = plane->counters;
    plane_unlock(plane);
}

/* --- transports -------------------------------------------------------------------------------------------------- */

struct transport *find_transport(struct plane *plane, int32_t index)
{
    return index >= 0 && index < MAX_TRANSPORTS ? plane->transports[index] : NULL;
}

static void full(struct bucket *bucket, double burst)
{
    *bucket = (struct bucket){burst, -INFINITY};
}

int plane_connect(struct plane *plane, int32_t index, uintptr_t inbound, uintptr_t outbound, uint32_t ssrc, const struct peer_limits *limits)
{
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport || index < 0 || index >= MAX_TRANSPORTS || !feedback_start(&transport->feedback)) {
        free(transport);
        return -1;
    }
    transport->index = index;
    transport->inbound = inbound;
    transport->ssrc = ssrc;
    transport->dormant = true;
    transport->read_reports_from = -INFINITY;
    transport->rtt_s = 0.07;
    transport->limits = *limits;
    full(&transport->packets, limits->packets_burst);
    full(&transport->octets, limits->octets_burst);
    full(&transport->rtcp, limits->rtcp_burst);
    plane_disconnect(plane, index);
    plane_lock(plane);
    plane->transports[index] = transport;
    plane->outbox.sessions[index] = outbound;
    if (index >= plane->transports_end)
        plane->transports_end = index + 1;
    plane_unlock(plane);
    return 0;
}

static void remove_stream(struct plane *plane, struct stream *stream)
{
    struct transport *transport = find_transport(plane, stream->transport);
    int left = 0;
    for (int i = 0; transport && i < transport->ssrc_count; i++)
        if (transport->ssrcs[i].stream != stream)
            transport->ssrcs[left++] = transport->ssrcs[i];
    if (transport)
        transport->ssrc_count = left;
    int slot = (int)(stream->uid % MAX_STREAMS);
    plane->streams[slot] = NULL;
    free_stream(stream);
}

void plane_disconnect(struct plane *plane, int32_t index)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (index >= 0 && index < MAX_TRANSPORTS)
        plane->outbox.sessions[index] = 0;
    if (transport) {
        for (int i = transport->ssrc_count - 1; i >= 0; i = i < transport->ssrc_count ? i - 1 : transport->ssrc_count - 1)
            if (transport->ssrcs[i].stream)
                remove_stream(plane, transport->ssrcs[i].stream);
        plane->transports[index] = NULL;
        feedback_end(&transport->feedback);
        free(transport);
    }
    plane_unlock(plane);
}

void plane_move(struct plane *plane, int32_t index, const uint8_t *path)
{
    plane_lock(plane);
    if (index >= 0 && index < MAX_TRANSPORTS)
        memcpy(plane->outbox.paths + PATH_BYTES * (size_t)index, path, PATH_BYTES);
    plane_unlock(plane);
}

void plane_read_reports_from(struct plane *plane, int32_t index, double at)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->read_reports_from = at;
    plane_unlock(plane);
}

void plane_set_feedback(struct plane *plane, int32_t index, uint8_t extension_id, uint32_t media_ssrc)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        memset(transport->kinds, 0, sizeof transport->kinds);
        if (extension_id)
            transport->kinds[extension_id] = EXTENSION_TRANSPORT_SEQUENCE;
        transport->media_ssrc = media_ssrc;
    }
    plane_unlock(plane);
}

void plane_dormant(struct plane *plane, int32_t index)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->dormant = true;
    plane_unlock(plane);
}

void plane_close_second(struct plane *plane, int32_t index, struct excess *excess)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        *excess = transport->excess;
        transport->excess = (struct excess){0};
    } else {
        *excess = (struct excess){0};
    }
    plane_unlock(plane);
}

void plane_set_flooded(struct plane *plane, int32_t index, int flooded)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->flooded = flooded;
    plane_unlock(plane);
}

void plane_set_rtt(struct plane *plane, int32_t index, double rtt_s)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->rtt_s = rtt_s;
    plane_unlock(plane);
}

/* --- streams ----------------------------------------------------------------------------------------------------- */

struct stream *find_stream(struct plane *plane, uint64_t uid)
{
    struct stream *stream = plane->streams[uid % MAX_STREAMS];
    return stream && stream->uid == uid ? stream : NULL;
}

static bool add_ssrc(struct transport *transport, uint32_t ssrc, struct stream *stream, bool retransmissions)
{
    if (transport->ssrc_count == SSRC_LIMIT)
        return false;
    for (int i = 0; i < transport->ssrc_count; i++)
        if (transport->ssrcs[i].ssrc == ssrc)
            return false;
    transport->ssrcs[transport->ssrc_count++] = (struct known_ssrc){ssrc, retransmissions, stream};
    return true;
}

uint64_t plane_add_stream(struct plane *plane, int32_t index, uint32_t ssrc, int video, int redundant, int muted, uint32_t clock_rate,
                          const struct section *section, double now)
{
    struct stream *stream = calloc(1, sizeof *stream);
    int size = video ? VIDEO_KEPT : AUDIO_KEPT;
    if (!stream || !(stream->kept = calloc((size_t)size, sizeof *stream->kept))) {
        free(stream);
        return 0;
    }
    stream->kept_mask = size - 1;
    stream->transport = index;
    stream->ssrc = ssrc;
    stream->clock_rate = clock_rate;
    stream->video = video;
    stream->redundant = redundant;
    stream->section = *section;
    stream->unwrapped = -1;
    nack_start(&stream->nacks);
    struct stream_state *state = &stream->state;
    state->highest = state->keyframe_sequence = -1;
    state->muted = (uint8_t)muted;
    state->last_packet_at = state->seen_at[0] = now;
    for (int i = 1; i < SPATIAL_LAYERS; i++)
        state->seen_at[i] = -1;
    state->observed_at = -1;
    state->loudest = 127;
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    int slot = 1;
    while (slot < MAX_STREAMS && plane->streams[slot])
        slot++;
    if (!transport || slot == MAX_STREAMS || !add_ssrc(transport, ssrc, stream, false)) {
        plane_unlock(plane);
        free_stream(stream);
        return 0;
    }
    stream->uid = (uint64_t)slot + (uint64_t)MAX_STREAMS * ++plane->generations[slot];
    stream->punted = true; /* behind those of its packets that were punted while it was unknown */
    stream->last_punt = plane->serial;
    plane->streams[slot] = stream;
    plane_unlock(plane);
    return stream->uid;
}

const struct stream_state *plane_state(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    plane_unlock(plane);
    return stream ? &stream->state : NULL;
}

void plane_set_section(struct plane *plane, uint64_t uid, const struct section *section)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        stream->section = *section;
    plane_unlock(plane);
}

int plane_add_ssrc(struct plane *plane, int32_t index, uint32_t ssrc, uint64_t uid)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    struct stream *stream = uid ? find_stream(plane, uid) : NULL;
    bool done = transport && (!uid || stream) && add_ssrc(transport, ssrc, stream, uid != 0);
    if (done && stream) { /* retransmissions that were punted come first, too */
        stream->punted = true;
        stream->last_punt = plane->serial;
    }
    plane_unlock(plane);
    return done ? 0 : -1;
}

void plane_remove_ssrc(struct plane *plane, int32_t index, uint32_t ssrc)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    for (int i = 0; transport && i < transport->ssrc_count; i++)
        if (transport->ssrcs[i].ssrc == ssrc && (transport->ssrcs[i].retransmissions || !transport->ssrcs[i].stream)) {
            transport->ssrcs[i] = transport->ssrcs[--transport->ssrc_count];
            break;
        }
    plane_unlock(plane);
}

void plane_remove_stream(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        remove_stream(plane, stream);
    plane_unlock(plane);
}

void plane_set_muted(struct plane *plane, uint64_t uid, int muted)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        stream->state.muted = (uint8_t)muted;
    plane_unlock(plane);
}

static void read_position(const struct stream *stream, struct position *position)
{
    const struct stream_state *state = &stream->state;
    *position = (struct position){state->highest, state->highest_timestamp, state->picture_id, state->frame_number, state->tl0picidx};
}

void plane_position(struct plane *plane, uint64_t uid, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        read_position(stream, position);
    plane_unlock(plane);
}

void plane_set_copies(struct plane *plane, uint64_t uid, int copies, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream) {
        stream->state.copies = (uint8_t)copies;
        read_position(stream, position);
    }
    plane_unlock(plane);
}

void plane_notify_next(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        stream->notify_next = true;
    plane_unlock(plane);
}

int plane_take_level(struct plane *plane, uint64_t uid, double *values)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    bool any = stream && stream->state.observed_s > 0;
    if (any) {
        struct stream_state *state = &stream->state;
        values[0] = state->observed_at;
        values[1] = state->observed_s;
        values[2] = state->active_s;
        values[3] = state->loudest;
        state->observed_s = state->active_s = 0;
        state->loudest = 127;
    }
    plane_unlock(plane);
    return any;
}

int plane_stored(struct plane *plane, uint64_t uid, int64_t sequence, uint8_t *data, uint32_t size, uint32_t *redundancy)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    const struct kept *kept = stream ? find_kept(stream, sequence) : NULL;
    int length = 0;
    if (kept) {
        uint32_t repeated = kept->redundancy == UINT16_MAX ? 0 : kept->redundancy;
        *redundancy = kept->redundancy;
        if (kept->length + repeated <= size) {
            memcpy(data, kept->data, kept->length + repeated);
            length = kept->length;
        }
    }
    plane_unlock(plane);
    return length;
}

int plane_keeps(struct plane *plane, uint64_t uid, int64_t first)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    int all = stream && stream->state.highest - first <= stream->kept_mask;
    for (int64_t i = first; all && i <= stream->state.highest; i++)
        all = find_kept(stream, i) != NULL;
    plane_unlock(plane);
    return all;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static struct group *find_group(struct stream *stream, const struct template_class *class_)
{
    for (int i = 0; i < stream->group_count; i++)
        if (!memcmp(&stream->groups[i].class_, class_, sizeof *class_))
            return stream->groups + i;
    struct group *groups = realloc(stream->groups, sizeof *groups * (size_t)(stream->group_count + 1));
    if (!groups)
        return NULL;
    stream->groups = groups;
    groups[stream->group_count] = (struct group){.class_ = *class_};
    return groups + stream->group_count++;
}

static bool add_row(struct group *group, uint64_t key, const struct column *column)
{
    if (group->count == group->room) {
        int room = group->room ? 2 * group->room : 4;
        struct column *columns = realloc(group->columns, sizeof *columns * (size_t)room);
        if (columns)
            group->columns = columns;
        uint64_t *keys = realloc(group->keys, sizeof *keys * (size_t)room);
        if (keys)
            group->keys = keys;
        if (!columns || !keys)
            return false;
        group->room = room;
    }
    group->columns[group->count] = *column;
    group->keys[group->count++] = key;
    return true;
}

int plane_join(struct plane *plane, uint64_t uid, uint64_t key, const struct template_class *class_, const struct column *column,
               int64_t after, double now)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    struct group *group = stream ? find_group(stream, class_) : NULL;
    bool done = group && add_row(group, key, column);
    if (done) {
        int64_t first = after + 1;
        if (first < stream->state.highest - stream->kept_mask)
            first = stream->state.highest - stream->kept_mask;
        for (int64_t sequence = first; sequence <= stream->state.highest; sequence++) {
            struct parsed parsed;
            if (read_kept(stream, sequence, &parsed))
                write_stream_rows(plane, class_, column, 1, &parsed, now);
        }
        flush_rows(plane, now);
    }
    plane_unlock(plane);
    return done ? 0 : -1;
}

static void remove_row(struct stream *stream, struct group *group, int i)
{
    group->count--;
    group->columns[i] = group->columns[group->count];
    group->keys[i] = group->keys[group->count];
    if (group->count)
        return;
    free(group->columns);
    free(group->keys);
    *group = stream->groups[--stream->group_count];
}

int plane_leave(struct plane *plane, uint64_t uid, uint64_t key, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    bool found = false;
    for (int i = 0; stream && i < stream->group_count && !found; i++)
        for (int k = 0; k < stream->groups[i].count && !found; k++)
            if (stream->groups[i].keys[k] == key) {
                remove_row(stream, stream->groups + i, k);
                found = true;
                break;
            }
    if (stream)
        read_position(stream, position);
    plane_unlock(plane);
    return found ? 0 : -1;
}

int plane_read_rows(struct plane *plane, uint64_t uid, struct column *columns, int size)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    int count = 0;
    for (int i = 0; stream && i < stream->group_count; i++)
        for (int k = 0; k < stream->groups[i].count && count < size; k++)
            columns[count++] = stream->groups[i].columns[k];
    plane_unlock(plane);
    return count;
}
