/* See generator.h. Packets are those of bench/load/media.py: numbered and stamped with the time, in clear until they are
 * protected. Received packets get the kernel's time stamp, so that what this thread takes to read them is no latency of the
 * server. One packet in SAMPLE_EVERY is decrypted and compared. Each client sends what a browser does: transport-wide
 * feedback, receiver reports, and checks of its consent. */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "plane_internal.h"

#include "generator.h"

enum {
    MAX_TRACKS = 2,
    MAX_INCOMING = 16,
    BATCH = 64,
    PACKET_BYTES = 1600,
    SAMPLE_EVERY = 20,
    MID_ID = 4,
    TRANSPORT_CC_ID = 3,
    LATENCY_UNITS = 100000
};
static const double TICK_S = 250e-6, READ_INTERVAL_S = 1e-3, REPORT_INTERVAL_S = 1.0, CONSENT_INTERVAL_S = 4.0;
static const double LATE_S = 5e-3;
static const char MAGIC[9] = "LECTERN1";
/* RFC 6386 section 9.1, as in bench/load/media.py */
static const uint8_t KEYFRAME[] = {0x10, 2, 0, 0x9D, 1, 0x2A, 0, 5, 0xD0, 2}, DELTA[] = {0x31, 2, 0};

typedef int (*srtp_function)(void *, void *, int *);

struct sender {
    struct track track;
    double next_at;
    uint32_t index;
    bool keyframe;
};

struct incoming {
    uint32_t ssrc;
    int64_t first, highest, received, reported_expected, reported_received;
};

struct client {
    int socket;
    void *inbound, *outbound;
    uint32_t transport_cc_id, own_ssrc, consent_bytes, number;
    uint8_t consent[256];
    double consent_at, report_at;
    struct sender senders[MAX_TRACKS];
    int sender_count, stream_count;
    struct incoming streams[MAX_INCOMING];
    struct feedback feedback;
};

struct generator {
    srtp_function protect, protect_rtcp, unprotect, unprotect_rtcp;
    struct client *clients;
    int count, room, epoll;
    bool is_media[128]; /* by payload type */
    double read_at, realtime_offset;
    struct totals totals;
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    uint8_t buffers[BATCH][PACKET_BYTES], controls[BATCH][64], filler[2048];
};

static double clock_s(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

struct generator *generator_new(int clients, const struct functions *functions, const uint8_t *payload_types, int count)
{
    struct generator *generator = calloc(1, sizeof *generator);
    if (!generator)
        return NULL;
    generator->clients = calloc((size_t)clients, sizeof *generator->clients);
    generator->epoll = epoll_create1(0);
    generator->room = clients;
    generator->protect = (srtp_function)functions->protect;
    generator->protect_rtcp = (srtp_function)functions->protect_rtcp;
    generator->unprotect = (srtp_function)functions->unprotect;
    generator->unprotect_rtcp = (srtp_function)functions->unprotect_rtcp;
    for (int i = 0; i < count; i++)
        generator->is_media[payload_types[i] & 0x7F] = true;
    for (int i = 0; i < BATCH; i++) {
        generator->vectors[i] = (struct iovec){generator->buffers[i], PACKET_BYTES};
        generator->headers[i].msg_hdr = (struct msghdr){.msg_iov = &generator->vectors[i], .msg_iovlen = 1};
    }
    for (size_t i = 0; i < sizeof generator->filler; i++)
        generator->filler[i] = (uint8_t)(i * 131 >> 3);
    if (generator->clients && generator->epoll >= 0)
        return generator;
    generator_free(generator);
    return NULL;
}

void generator_free(struct generator *generator)
{
    for (int i = 0; generator->clients && i < generator->count; i++)
        feedback_end(&generator->clients[i].feedback);
    if (generator->epoll >= 0)
        close(generator->epoll);
    free(generator->clients);
    free(generator);
}

bool generator_add(struct generator *generator, int socket, uintptr_t inbound, uintptr_t outbound,
                   uint32_t transport_cc_id, const uint8_t *consent, uint32_t consent_bytes,
                   const struct track *tracks, int track_count)
{
    if (generator->count == generator->room || track_count > MAX_TRACKS || consent_bytes > sizeof generator->clients->consent)
        return false;
    struct client *client = &generator->clients[generator->count];
    double now = clock_s(CLOCK_MONOTONIC), spread = (double)generator->count / generator->room;
    *client = (struct client){.socket = socket,
                              .inbound = (void *)inbound,
                              .outbound = (void *)outbound,
                              .transport_cc_id = transport_cc_id,
                              .own_ssrc = 0x10000000u + (uint32_t)generator->count,
                              .consent_bytes = consent_bytes,
                              .consent_at = now + spread * CONSENT_INTERVAL_S,
                              .report_at = now + spread * REPORT_INTERVAL_S,
                              .sender_count = track_count};
    memcpy(client->consent, consent, consent_bytes);
    for (int i = 0; i < track_count; i++)
        client->senders[i] =
            (struct sender){.track = tracks[i], .next_at = now + fmod(spread * 37 + i * 0.5, 1) * tracks[i].interval_s,
                            .keyframe = true};
    int on = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)generator->count};
    feedback_start(&client->feedback);
    if (setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) ||
        epoll_ctl(generator->epoll, EPOLL_CTL_ADD, socket, &event))
        return false;
    generator->count++;
    return true;
}

/* --- sending --- */

static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)(value >> 32));
    put32(at + 4, (uint32_t)value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static uint32_t filler_at(uint64_t index)
{
    return (uint32_t)(index * 97 % 512);
}

static void send_media(struct generator *generator, struct client *client, struct sender *sender, int mid)
{
    uint8_t packet[PACKET_BYTES];
    uint32_t index = sender->index++, at = 0;
    double timestamp = index / sender->track.burst * sender->track.interval_s * sender->track.clock_rate;
    packet[0] = 0x90;
    packet[1] = (uint8_t)((sender->track.is_video ? 0x80 : 0) | sender->track.payload_type);
    put16(packet + 2, (index + 1000) & 0xFFFF);
    put32(packet + 4, (uint32_t)(uint64_t)timestamp);
    put32(packet + 8, sender->track.ssrc);
    put16(packet + 12, 0xBEDE);
    put16(packet + 14, 2);
    packet[16] = MID_ID << 4;
    packet[17] = (uint8_t)('0' + mid);
    packet[18] = TRANSPORT_CC_ID << 4 | 1;
    put16(packet + 19, client->number++ & 0xFFFF);
    packet[21] = packet[22] = packet[23] = 0;
    at = 24;
    if (sender->track.is_video) {
        packet[at] = 0x90; /* RFC 7741 section 4.2: X and S; I; a picture id of 15 bits */
        packet[at + 1] = 0x80;
        put16(packet + at + 2, 0x8000 | (index & 0x7FFF));
        at += 4;
        const uint8_t *start = sender->keyframe ? KEYFRAME : DELTA;
        uint32_t size = sender->keyframe ? sizeof KEYFRAME : sizeof DELTA;
        memcpy(packet + at, start, size);
        at += size;
        sender->keyframe = false;
    }
    memcpy(packet + at, MAGIC, 8);
    put64(packet + at + 8, index);
    put64(packet + at + 16, (uint64_t)(clock_s(CLOCK_REALTIME) * 1e9));
    at += 24;
    memcpy(packet + at, generator->filler + filler_at(index), sender->track.packet_bytes - at);
    int length = (int)sender->track.packet_bytes;
    if (!generator->protect(client->outbound, packet, &length) && send(client->socket, packet, (size_t)length, 0) == length)
        generator->totals.sent++;
}

struct recipient {
    struct generator *generator;
    struct client *client;
};

static void send_protected_rtcp(void *context, const uint8_t *data, uint32_t size)
{
    struct recipient *to = context;
    uint8_t packet[PACKET_BYTES];
    int length = (int)size;
    memcpy(packet, data, size);
    if (!to->generator->protect_rtcp(to->client->outbound, packet, &length) &&
        send(to->client->socket, packet, (size_t)length, 0) == length)
        to->generator->totals.reports++;
}

/* A receiver report (RFC 3550 section 6.4.2) about all streams. */
static void send_report(struct generator *generator, struct client *client)
{
    uint8_t data[8 + 24 * MAX_INCOMING] = {0};
    data[0] = (uint8_t)(0x80 | client->stream_count);
    data[1] = 201;
    put16(data + 2, (uint32_t)(1 + 6 * client->stream_count));
    put32(data + 4, client->own_ssrc);
    for (int i = 0; i < client->stream_count; i++) {
        struct incoming *stream = &client->streams[i];
        uint8_t *block = data + 8 + 24 * i;
        int64_t expected = stream->highest - stream->first + 1, lost = expected - stream->received;
        int64_t since = expected - stream->reported_expected, got = stream->received - stream->reported_received;
        put32(block, stream->ssrc);
        put32(block + 4, (uint32_t)(lost > 0 ? lost : 0) & 0xFFFFFF);
        block[4] = (uint8_t)(since > got ? (since - got) * 256 / since : 0);
        put32(block + 8, (uint32_t)stream->highest);
        stream->reported_expected = expected;
        stream->reported_received = stream->received;
    }
    send_protected_rtcp(&(struct recipient){generator, client}, data, (uint32_t)(8 + 24 * client->stream_count));
}

static void send_due(struct generator *generator, struct client *client, double now)
{
    for (int i = 0; i < client->sender_count; i++) {
        struct sender *sender = &client->senders[i];
        while (sender->next_at <= now) {
            generator->totals.late += now - sender->next_at > LATE_S;
            for (uint32_t k = 0; k < sender->track.burst; k++)
                send_media(generator, client, sender, i);
            sender->next_at += sender->track.interval_s;
        }
    }
    if (client->feedback.due_at <= now)
        feedback_build(&client->feedback, client->own_ssrc, client->streams[0].ssrc, now, send_protected_rtcp,
                       &(struct recipient){generator, client});
    if (client->report_at <= now) {
        client->report_at += REPORT_INTERVAL_S;
        if (client->stream_count)
            send_report(generator, client);
    }
    if (client->consent_at <= now) {
        client->consent_at += CONSENT_INTERVAL_S;
        send(client->socket, client->consent, client->consent_bytes, 0);
    }
}

/* --- receiving --- */

/* The header extension (one-byte format, RFC 8285 section 4.2) with this id; 0: none. */
static uint32_t find_extension(const uint8_t *packet, uint32_t size, uint32_t id, uint32_t *header)
{
    uint32_t at = 12 + 4u * (packet[0] & 15), found = 0;
    *header = at;
    if (!(packet[0] & 0x10) || at + 4 > size)
        return 0;
    uint32_t end = at + 4 + 4 * ((uint32_t)packet[at + 2] << 8 | packet[at + 3]);
    bool one_byte = packet[at] == 0xBE && packet[at + 1] == 0xDE;
    *header = end;
    if (end > size)
        return 0;
    for (at += 4; one_byte && at < end;) {
        uint32_t element = packet[at] >> 4, length = (packet[at] & 15) + 1u;
        if (!element) {
            at++;
            continue;
        }
        if (element == id && at + length < end)
            found = at + 1;
        at += 1 + length;
    }
    return found;
}

static struct incoming *find_incoming(struct client *client, uint32_t ssrc, int64_t sequence)
{
    for (int i = 0; i < client->stream_count; i++)
        if (client->streams[i].ssrc == ssrc)
            return &client->streams[i];
    if (client->stream_count == MAX_INCOMING)
        return NULL;
    struct incoming *stream = &client->streams[client->stream_count++];
    *stream = (struct incoming){.ssrc = ssrc, .first = sequence, .highest = sequence - 1};
    return stream;
}

static bool check_sample(struct generator *generator, struct client *client, uint8_t *packet, uint32_t size,
                         uint32_t header, uint64_t arrived_ns)
{
    int length = (int)size;
    if (generator->unprotect(client->inbound, packet, &length))
        return false;
    uint8_t *magic = memmem(packet + header, 32, MAGIC, 8);
    if (!magic || magic + 24 > packet + length)
        return false;
    uint64_t index = get64(magic + 8);
    int64_t latency_ns = (int64_t)(arrived_ns - get64(magic + 16)), unit = latency_ns / 10000;
    if (unit < 0 || memcmp(magic + 24, generator->filler + filler_at(index), (size_t)(packet + length - magic - 24)))
        return false;
    generator->totals.latencies[unit < LATENCY_UNITS ? unit : LATENCY_UNITS - 1]++;
    return true;
}

static void receive_media(struct generator *generator, struct client *client, uint8_t *packet, uint32_t size,
                          uint64_t arrived_ns)
{
    uint32_t header, at = find_extension(packet, size, client->transport_cc_id, &header);
    if (at)
        feedback_received(&client->feedback, (uint32_t)packet[at] << 8 | packet[at + 1],
                          (double)arrived_ns * 1e-9 - generator->realtime_offset);
    uint32_t number = (uint32_t)packet[2] << 8 | packet[3], ssrc = 0;
    if (!generator->is_media[packet[1] & 0x7F])
        return;
    for (int i = 8; i < 12; i++)
        ssrc = ssrc << 8 | packet[i];
    struct incoming *stream = find_incoming(client, ssrc, number);
    if (!stream)
        return;
    int64_t sequence = stream->highest + (int16_t)(number - (uint16_t)stream->highest);
    if (sequence <= stream->highest) {
        generator->totals.duplicates++;
        return;
    }
    generator->totals.missing += (uint64_t)(sequence - stream->highest - 1);
    stream->highest = sequence;
    stream->received++;
    generator->totals.received++;
    if (sequence % SAMPLE_EVERY)
        return;
    generator->totals.sampled++;
    generator->totals.wrong += !check_sample(generator, client, packet, size, header, arrived_ns);
}

/* A picture loss indication or full intra request (RFC 4585, RFC 5104) asks for a keyframe. */
static void receive_rtcp(struct generator *generator, struct client *client, uint8_t *packet, uint32_t size)
{
    int length = (int)size;
    if (generator->unprotect_rtcp(client->inbound, packet, &length))
        return;
    for (int at = 0; at + 4 <= length; at += 4 * (1 + (packet[at + 2] << 8 | packet[at + 3]))) {
        int format = packet[at] & 31;
        if (packet[at + 1] != 206 || (format != 1 && format != 4))
            continue;
        generator->totals.keyframes++;
        for (int i = 0; i < client->sender_count; i++)
            client->senders[i].keyframe = true;
    }
}

static uint64_t arrival_ns(struct msghdr *header)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(control), sizeof time);
            return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        }
    return (uint64_t)(clock_s(CLOCK_REALTIME) * 1e9);
}

static void receive_all(struct generator *generator, struct client *client)
{
    int count;
    do {
        for (int i = 0; i < BATCH; i++) {
            generator->headers[i].msg_hdr.msg_control = generator->controls[i];
            generator->headers[i].msg_hdr.msg_controllen = sizeof generator->controls[i];
        }
        count = recvmmsg(client->socket, generator->headers, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            uint8_t *packet = generator->buffers[i];
            uint32_t size = generator->headers[i].msg_len;
            if (size < 12 || packet[0] < 128 || packet[0] > 191)
                continue; /* answers to the checks of consent */
            if (packet[1] >= 192 && packet[1] <= 223)
                receive_rtcp(generator, client, packet, size);
            else
                receive_media(generator, client, packet, size, arrival_ns(&generator->headers[i].msg_hdr));
        }
    } while (count == BATCH);
}

bool generator_run(struct generator *generator, double seconds)
{
    double now = clock_s(CLOCK_MONOTONIC), end = now + seconds, tick = now, used = clock_s(CLOCK_THREAD_CPUTIME_ID);
    struct epoll_event events[BATCH * 4];
    generator->realtime_offset = clock_s(CLOCK_REALTIME) - now;
    while ((now = clock_s(CLOCK_MONOTONIC)) < end) {
        for (int i = 0; i < generator->count; i++)
            send_due(generator, &generator->clients[i], now);
        if (now >= generator->read_at) {
            generator->read_at = now + READ_INTERVAL_S;
            int ready = epoll_wait(generator->epoll, events, BATCH * 4, 0);
            if (ready < 0 && errno != EINTR)
                return false;
            for (int i = 0; i < ready; i++)
                receive_all(generator, &generator->clients[events[i].data.u32]);
        }
        tick = fmax(tick + TICK_S, now);
        struct timespec until = {(time_t)tick, (long)(fmod(tick, 1) * 1e9)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    generator->totals.busy_s += clock_s(CLOCK_THREAD_CPUTIME_ID) - used;
    return true;
}

void generator_reset(struct generator *generator)
{
    generator->totals = (struct totals){0};
}

const struct totals *generator_totals(const struct generator *generator)
{
    struct generator *writable = (struct generator *)generator;
    writable->totals.streams = 0;
    for (int i = 0; i < generator->count; i++)
        writable->totals.streams += (uint64_t)generator->clients[i].stream_count;
    return &generator->totals;
}
