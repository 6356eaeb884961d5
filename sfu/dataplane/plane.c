/* The plane itself: its lock, its thread, what it sends and what it punts. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

void wake(struct plane *plane)
{
    signal_fd(plane->wake_fd);
}

/* Wake the control plane, since punts wait. */
static void tell(struct plane *plane)
{
    plane->tell_at = INFINITY;
    if (!plane->told)
        signal_fd(plane->punt_fd);
    plane->told = true;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

struct plane *plane_new(int wake_fd, int punt_fd, const struct outbox *shared, uintptr_t unprotect, uintptr_t unprotect_rtcp,
                        uintptr_t protect_rtcp)
{
    struct plane *plane = calloc(1, sizeof *plane);
    if (!plane)
        return NULL;
    /* whoever holds the plane while the thread waits for it runs with the thread's priority */
    pthread_mutexattr_t inherit;
    pthread_mutexattr_init(&inherit);
    pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&plane->next, &inherit);
    pthread_mutex_init(&plane->mutex, &inherit);
    pthread_mutexattr_destroy(&inherit);
    plane->wake_fd = wake_fd;
    plane->punt_fd = punt_fd;
    plane->next_due = plane->tell_at = INFINITY;
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
    for (int i = 0; plane->streams && i < MAX_STREAMS; i++)
        if (plane->streams[i]) {
            while (plane->streams[i]->bounded)
                remove_bounded(plane, plane->streams[i]->bounded);
            free_stream(plane->streams[i]);
        }
    for (int32_t i = 0; i < plane->transports_end; i++)
        if (plane->transports[i])
            free_transport(plane, plane->transports[i]);
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
    int used; /* messages that the kernel has filled, and so many more have to be made anew */
};

static void begin_batch(struct batch *batch)
{
    batch->used = RECEIVE_BATCH;
}

static int receive(struct plane *plane, struct batch *batch, int flags)
{
    for (int i = 0; i < batch->used; i++) {
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
    int count = recvmmsg(plane->outbox.fd, batch->messages, RECEIVE_BATCH, flags | MSG_TRUNC, NULL);
    /* an attempt that failed may have written to the first */
    batch->used = count < 1 ? 1 : count;
    for (int i = 0; i < count; i++) /* the interface is the kernel's to choose */
        memset(batch->paths[i] + plane->outbox.interface_at, 0, sizeof(uint32_t));
    return count < 0 ? 0 : count;
}

/* Receive and process datagrams; the number of them. `flags` are those of recvmmsg. */
static int serve_batch(struct plane *plane, struct batch *batch, int flags, double at)
{
    int count = receive(plane, batch, flags);
    if (!count)
        return 0;
    plane_lock(plane);
    double now = at < 0 ? monotonic_s() : at;
    plane->counters.bursts++;
    for (int i = 0; i < count; i++)
        on_datagram(plane, plane->received + (size_t)RECEIVE_STRIDE * (size_t)i, batch->messages[i].msg_len, batch->paths[i], now);
    flush_rows(plane, now);
    plane_unlock(plane);
    return count;
}

int plane_poll(struct plane *plane, double now)
{
    struct batch batch;
    begin_batch(&batch);
    int total = 0, count;
    do
        total += count = serve_batch(plane, &batch, MSG_DONTWAIT, now);
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

/* While datagrams come this often, the thread waits in recvmmsg itself: one system call less for each wake, and no timer of
 * high resolution. Its time limit is the kernel's, in ticks of 1 to 4 ms, so that duties may be late by as much. */
enum { WAIT_MS = 4 };

/* Wait for datagrams until `due`, in ppoll; whether some have come. */
static bool wait_until(struct plane *plane, double due)
{
    struct pollfd polled[2] = {{plane->outbox.fd, POLLIN, 0}, {plane->wake_fd, POLLIN, 0}};
    double wait_s = fmin(fmax(due - monotonic_s(), 0), 1);
    struct timespec timeout = {(time_t)wait_s, (long)(1e9 * (wait_s - floor(wait_s)))};
    if (ppoll(polled, 2, &timeout, NULL) <= 0)
        return false;
    if (polled[1].revents) {
        uint64_t value;
        (void)!read(plane->wake_fd, &value, sizeof value);
    }
    return polled[0].revents; /* an error that an earlier send caused is read with the socket */
}

static void *serve(void *argument)
{
    struct plane *plane = argument;
    pthread_setname_np(pthread_self(), "media"); /* sfu/shell/worker_process.py looks for it */
    struct schedule schedule;
    schedule_begin(&schedule, monotonic_s());
    struct batch batch;
    begin_batch(&batch);
    bool often = false;
    while (!atomic_load(&plane->stopping)) {
        plane_lock(plane);
        double due = plane->next_due;
        plane_unlock(plane);
        double now = monotonic_s();
        if (now >= due)
            due = plane_duties(plane, now);
        schedule_check(&schedule, now);
        if (!often && !wait_until(plane, due))
            continue;
        int count = serve_batch(plane, &batch, often ? MSG_WAITFORONE : MSG_DONTWAIT, -1);
        often = count > 0 && (often || monotonic_s() - now < 1e-3 * WAIT_MS);
        for (int i = 1; i < 8 && count == RECEIVE_BATCH; i++)
            count = serve_batch(plane, &batch, MSG_DONTWAIT, -1);
    }
    return NULL;
}

/* Only `serve` blocks on the socket: all other calls have MSG_DONTWAIT. */
static void set_blocking(int fd, bool blocking)
{
    struct timeval limit = {0, blocking ? 1000 * WAIT_MS : 0};
    int flags = fcntl(fd, F_GETFL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

int plane_start(struct plane *plane)
{
    set_blocking(plane->outbox.fd, true);
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
    set_blocking(plane->outbox.fd, false);
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
    double due = window_duties(plane, now);
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
                int count = nack_due(&stream->nacks, now, numbers);
                if (count)
                    send_rtcp(plane, transport, data, build_nack(transport->ssrc, stream->ssrc, numbers, count, data));
            }
            due = fmin(due, stream->nacks.next_at);
        }
    }
    if (now >= plane->tell_at)
        tell(plane);
    plane->next_due = fmin(due == INFINITY ? due : fmax(due, now + COALESCED_S), plane->tell_at);
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
    struct iovec part = {packet, (size_t)size};
    struct msghdr message;
    address_message(&plane->outbox, transport->index, &message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
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

/* Append a punt to the buffer; false if it has no room. */
static bool append(struct plane *plane, int reason, int flags, int32_t transport, uint64_t stream, int64_t sequence, double at,
                   const uint8_t *path, struct bytes content)
{
    struct buffer *buffer = plane->punts + plane->filling;
    size_t size = (sizeof(struct punt) + content.size + 7) & ~(size_t)7;
    if (buffer->used + size > buffer->room) {
        size_t room = buffer->room ? 2 * buffer->room : 1 << 16;
        uint8_t *data = room > MAX_PUNT_OCTETS ? NULL : realloc(buffer->data, room);
        if (!data) { /* the control plane has not read for seconds */
            plane->counters.drops[DROP_PUNTS_FULL]++;
            return false;
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
    buffer->used += size;
    plane->counters.punts[reason]++;
    plane->serial++;
    return true;
}

uint64_t punt(struct plane *plane, int reason, int flags, int32_t transport, uint64_t stream, int64_t sequence, double at,
              const uint8_t *path, struct bytes content)
{
    if (append(plane, reason, flags, transport, stream, sequence, at, path, content))
        tell(plane);
    return plane->serial;
}

void punt_later(struct plane *plane, int32_t transport, double at, struct bytes content, double wait_s)
{
    if (append(plane, PUNT_RTCP, 0, transport, 0, 0, at, NULL, content)) {
        plane->tell_at = fmin(plane->tell_at, at + wait_s);
        plane->next_due = fmin(plane->next_due, plane->tell_at);
    }
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
    plane->told = false;
    plane->tell_at = INFINITY;
    *data = full->data;
    *serial = plane->serial;
    size_t used = full->used;
    plane_unlock(plane);
    return used;
}

void plane_inject(struct plane *plane, int32_t index, const uint8_t *data, uint32_t length, double at, double now)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        on_rtp(plane, transport, (struct bytes){data, length}, at, true);
        flush_rows(plane, now);
    }
    plane_unlock(plane);
}

void plane_read_counters(struct plane *plane, struct plane_counters *counters)
{
    plane_lock(plane);
    *counters = plane->counters;
    plane_unlock(plane);
}
