/* The data plane without Python and without encryption, for fuzzing and for ThreadSanitizer.
 *
 *     harness fuzz SEED INPUTS    mutated datagrams and edits, one after the other
 *     harness race SECONDS        a thread that forwards, one that sends datagrams, one that edits
 *
 * libsrtp's functions are stand-ins that change nothing, so every octet of an input reaches the parsers. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "plane_internal.h"

enum { VIEWERS = 4, STREAMS = 3, INPUT_BYTES = 1500 };

static unsigned int leave_as_it_is(void *session, void *packet, int *length)
{
    (void)session;
    (void)packet;
    (void)length;
    return 0;
}

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 11) % below;
}

struct world {
    struct plane *plane;
    struct outbox shared;
    struct sockaddr_in6 address;
    uint8_t path[PATH_BYTES], viewer_paths[VIEWERS + 1][PATH_BYTES];
    uint64_t streams[STREAMS];
    int punt_fd;
};

static void *allocated[16];
static int allocations;

static void *zeros(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory || allocations == 16)
        abort();
    return allocated[allocations++] = memory;
}

/* LeakSanitizer then sees what the plane has left. */
static void close_world(struct world *world)
{
    plane_free(world->plane);
    while (allocations)
        free(allocated[--allocations]);
}

static void open_world(struct world *world)
{
    struct outbox *shared = &world->shared;
    *shared = (struct outbox){.address_bytes = sizeof world->address, .control_bytes = 0, .interface_at = 68};
    shared->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    world->address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof world->address;
    if (shared->fd < 0 || bind(shared->fd, (struct sockaddr *)&world->address, length) ||
        getsockname(shared->fd, (struct sockaddr *)&world->address, &length))
        abort();
    shared->paths = zeros(MAX_TRANSPORTS, PATH_BYTES);
    shared->sequences = zeros(MAX_TRANSPORTS, sizeof *shared->sequences);
    shared->sessions = zeros(MAX_TRANSPORTS, sizeof *shared->sessions);
    shared->protect = (uintptr_t)leave_as_it_is;
    world->punt_fd = eventfd(0, EFD_NONBLOCK);
    uintptr_t function = (uintptr_t)leave_as_it_is;
    world->plane = plane_new(eventfd(0, EFD_NONBLOCK), world->punt_fd, shared, function, function, function);
    if (!world->plane)
        abort();
    struct outbox log = {0};
    size_t slots = (size_t)(VIEWERS + 1) * LOG_SIZE;
    plane_set_log(world->plane, &log, zeros(slots, sizeof(double)), zeros(slots, 2), zeros(slots, 2), VIEWERS + 1);
}

static void add_streams(struct world *world, double now)
{
    struct peer_limits limits = {1e9, 1e9, 1e12, 1e12, 1e9, 1e9, 64, 1 << 30, 1};
    struct section section = {0};
    memset(section.media_by_rtx, 0xFF, sizeof section.media_by_rtx);
    for (int i = 0; i < 8; i++)
        section.codecs[96 + i] = (uint8_t)(1 + i);
    section.media_by_rtx[120] = 96 + 2;
    for (int i = 1; i < EXTENSIONS; i++)
        section.extensions[i] = (uint8_t)i;
    memset(world->path, 7, sizeof world->path);
    for (int32_t i = 0; i <= VIEWERS; i++) {
        plane_connect(world->plane, i, 1, 1, (uint32_t)i + 1, &limits);
        memset(world->viewer_paths[i], 8 + i, PATH_BYTES);
        plane_set_path(world->plane, world->viewer_paths[i], i);
    }
    plane_set_path(world->plane, world->path, 0);
    plane_set_feedback(world->plane, 0, 1, 1000);
    for (int i = 0; i < STREAMS; i++) {
        world->streams[i] = plane_add_stream(world->plane, 0, 1000 + (uint32_t)i, i > 0, 1, 90000, &section, now);
        plane_add_ssrc(world->plane, 0, 2000 + (uint32_t)i, world->streams[i]);
    }
    plane_resume(world->plane, UINT64_MAX, now);
}

static void join(struct world *world, double now)
{
    struct template_class class_;
    for (int i = 0; i < CODECS; i++)
        class_.payload_types[i] = (int16_t)((int)chance(3) ? i + 60 : -1);
    for (int i = 0; i < EXTENSIONS; i++)
        class_.extension_ids[i] = (uint8_t)(chance(2) ? chance(20) : 0);
    class_.redundancy = (uint8_t)chance(3);
    struct position position;
    uint64_t stream = world->streams[chance(STREAMS)];
    plane_position(world->plane, stream, &position);
    int32_t viewer = 1 + (int32_t)chance(VIEWERS);
    struct column column = {position.sequence - chance(20), 77, chance(1 << 30), viewer, (uint16_t)chance(65536), 5, 6, 7};
    if (chance(3))
        plane_leave(world->plane, stream, viewer, &position);
    else
        plane_release(world->plane, stream, viewer, &position, now);
    plane_leave(world->plane, stream, viewer, &position); /* release ends only bounded rows */
    position.sequence = column.first_sequence - 1;
    if (chance(2))
        plane_join(world->plane, stream, &class_, &column, position.sequence, now);
    else
        plane_join_bounded(world->plane, stream, &class_, &column, &position, 0.1, now);
}

static void edit(struct world *world, double now)
{
    uint64_t stream = world->streams[chance(STREAMS)];
    uint8_t data[4096], *taken;
    struct position position;
    struct plane_counters counters;
    struct excess excess;
    double levels[4];
    struct stored stored = {0};
    uint64_t serial;
    struct bounded_row rows[VIEWERS];
    struct sampling sampling = {chance(4) > 0, chance(2) ? 1e9 : -1, (double)chance(1 << 20), chance(2), chance(1 << 24)};
    switch (chance(15)) {
    case 0:
    case 1:
        join(world, now);
        break;
    case 2:
        plane_leave(world->plane, stream, 1 + (int32_t)chance(VIEWERS), &position);
        break;
    case 3:
        plane_set_muted(world->plane, stream, chance(4) == 0);
        break;
    case 4:
        plane_set_copies(world->plane, stream, (int)chance(2), &position);
        break;
    case 5:
        plane_notify_next(world->plane, stream);
        break;
    case 6:
        plane_position(world->plane, stream, &position);
        plane_stored(world->plane, stream, position.sequence - chance(600), data, sizeof data, &stored);
        plane_structure(world->plane, stream, chance(2) ? stored.in_force.structure : chance(1000), data);
        plane_keeps(world->plane, stream, position.sequence - chance(600));
        break;
    case 7:
        plane_take_level(world->plane, stream, levels);
        break;
    case 8:
        plane_read_counters(world->plane, &counters);
        plane_close_second(world->plane, 0, &excess);
        break;
    case 9:
        plane_send_rtcp(world->plane, 1 + (int32_t)chance(VIEWERS), data, 20 + chance(1000));
        break;
    case 10:
        plane_move(world->plane, 1 + (int32_t)chance(VIEWERS), world->path);
        break;
    case 11:
        plane_sample_reports(world->plane, (int32_t)chance(VIEWERS + 1), &sampling);
        break;
    case 12:
        plane_bounded_position(world->plane, stream, 1 + (int32_t)chance(VIEWERS), &position);
        plane_read_bounded_rows(world->plane, stream, rows, 1 + (int)chance(VIEWERS));
        break;
    case 13: {
        int32_t viewer = (int32_t)chance(VIEWERS + 1);
        plane_answer_checks(world->plane, viewer, world->viewer_paths[viewer], (const uint8_t *)"server", chance(5) ? 6 : 0,
                            (const uint8_t *)"password", 8);
        plane_consent_at(world->plane, viewer);
        break;
    }
    default:
        plane_take(world->plane, &taken, &serial);
        plane_resume(world->plane, serial, now);
    }
}

/* A report of arrivals: chunks of each kind, then deltas; often about packets that were sent lately. */
static uint32_t report(uint8_t *data, uint16_t next)
{
    uint32_t size = 20 + 4 * chance(60);
    data[0] = (uint8_t)(0x8F | (chance(20) ? 0 : 0x20));
    data[1] = 205;
    put16(data + 2, size / 4 - 1 + !chance(20));
    for (uint32_t i = 12; i < size; i++)
        data[i] = (uint8_t)chance(256);
    put16(data + 14, chance(10) ? chance(200) : chance(65536));
    if (chance(4)) /* deltas that are there: a run of small ones, as many as there is room for */
        put16(data + 20, 1 << 13 | chance(size));
    if (chance(4)) {
        put16(data + 12, next - chance(40));
        put16(data + 14, 1 + chance(30));
    }
    return size;
}

/* A consent check of "server:client", signed with "password", as it is or with some octets changed. */
static uint32_t binding_request(uint8_t *data)
{
    static const uint8_t REQUEST[] = {
        0x00, 0x01, 0x00, 0x40, 0x21, 0x12, 0xA4, 0x42, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x09, 0x0A, 0x0B, 0x00, 0x06, 0x00, 0x0D, 0x73, 0x65, 0x72, 0x76, 0x65, 0x72, 0x3A, 0x63,
        0x6C, 0x69, 0x65, 0x6E, 0x74, 0x00, 0x00, 0x00, 0x00, 0x24, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01,
        0x00, 0x25, 0x00, 0x00, 0x00, 0x08, 0x00, 0x14, 0xFD, 0x71, 0x35, 0xB2, 0x83, 0xCD, 0xB6, 0xB7,
        0x95, 0x8A, 0xA2, 0x95, 0xAC, 0x00, 0xAB, 0x26, 0x72, 0xB8, 0x19, 0xE9, 0x80, 0x28, 0x00, 0x04,
        0xE4, 0x3D, 0x8C, 0xEF,
    };
    memset(data, 0, INPUT_BYTES);
    memcpy(data, REQUEST, sizeof REQUEST);
    uint32_t size = sizeof REQUEST;
    for (uint32_t i = chance(4); i; i--)
        data[1 + chance(size - 1)] = (uint8_t)chance(chance(2) ? 32 : 256);
    if (!chance(4))
        size = chance(INPUT_BYTES);
    if (!chance(4))
        put16(data + 2, size - 20);
    return size;
}

static uint32_t datagram(uint8_t *data)
{
    static uint16_t sequence[STREAMS], number;
    uint32_t stream = chance(STREAMS), size = 12;
    bool again = stream && !chance(8);
    memset(data, 0, INPUT_BYTES);
    data[0] = (uint8_t)(0x80 | (chance(3) ? 0x10 : 0) | (chance(10) ? 0 : 0x20));
    data[1] = (uint8_t)(again ? 120 : 97 + chance(8));
    put16(data + 2, chance(12) ? ++sequence[stream] : chance(65536));
    put32(data + 4, chance(1 << 20));
    put32(data + 8, (again ? 2000 : 1000) + stream);
    if (data[0] & 0x10) {
        put16(data + 12, chance(5) ? 0xBEDE : 0x1000);
        put16(data + 14, 3);
        data[16] = 0x11;
        put16(data + 17, ++number);
        data[19] = (uint8_t)chance(256);
        for (int i = 20; i < 28; i++)
            data[i] = (uint8_t)chance(chance(2) ? 64 : 256);
        size = 28;
    }
    if (data[0] & 0x10 && !chance(3)) { /* a dependency descriptor, in the two-byte form, often with a structure */
        uint32_t words = 1 + chance(30);
        put16(data + 12, 0x1000);
        put16(data + 14, words);
        data[16] = EXTENSION_DESCRIPTOR;
        data[17] = (uint8_t)(4 * words - 2 - (words > 1 ? chance(4) : 0));
        for (uint32_t i = 18; i < 16 + 4 * words; i++)
            data[i] = (uint8_t)(chance(256) & (i > 24 && chance(2) ? chance(256) : 255));
        data[21] = (uint8_t)(chance(3) ? data[21] & 0x7F : data[21] | 0x80); /* few are attached */
        size = 16 + 4 * words;
    }
    uint32_t payload = chance(10) ? chance(300) : chance(1500 - size);
    for (uint32_t i = 0; i < payload && i < 12; i++)
        data[size + i] = (uint8_t)chance(256);
    size += payload;
    for (uint32_t i = chance(5) ? 0 : 1 + chance(6); i; i--) /* and what nobody thought of */
        data[chance(size < 40 ? size : 40)] = (uint8_t)chance(256);
    return chance(50) ? size : chance(size + 1);
}

/* A packet waits only while its window is full; how many wait. */
static long check_bounded(struct world *world)
{
    struct bounded_row rows[VIEWERS];
    long waiting = 0;
    for (int k = 0; k < STREAMS; k++) {
        int count = plane_read_bounded_rows(world->plane, world->streams[k], rows, VIEWERS);
        for (int i = 0; i < count; i++) {
            if (rows[i].waiting && rows[i].unconfirmed < rows[i].window)
                abort();
            waiting += rows[i].waiting;
        }
    }
    return waiting;
}

static int fuzz(uint64_t seed, long inputs)
{
    struct world world;
    long waited = 0;
    uint8_t data[INPUT_BYTES];
    double now = 100;
    state = seed * 0x9E3779B97F4A7C15u + 1;
    open_world(&world);
    add_streams(&world, now);
    for (long i = 0; i < inputs; i++) {
        uint32_t viewer = chance(VIEWERS + 1);
        if (!chance(20))
            plane_datagram(world.plane, data, binding_request(data), world.viewer_paths[viewer], now);
        else if (chance(6))
            plane_datagram(world.plane, data, datagram(data), world.path, now);
        else
            plane_datagram(world.plane, data, report(data, world.shared.sequences[viewer]), world.viewer_paths[viewer], now);
        if (!chance(8))
            edit(&world, now);
        if (!chance(20)) {
            now += 1e-3 * chance(30);
            plane_duties(world.plane, now);
        }
        if (!chance(8))
            waited += check_bounded(&world);
        if (!chance(5000)) { /* everything anew */
            plane_disconnect(world.plane, 0);
            add_streams(&world, now);
        }
    }
    struct plane_counters counters;
    plane_read_counters(world.plane, &counters);
    printf("%ld inputs, %lu forwarded, %lu punted copies, %ld seen waiting, %lu checks\n", inputs,
           (unsigned long)counters.forwarded_packets, (unsigned long)counters.punts[PUNT_COPY], waited,
           (unsigned long)counters.checks);
    close_world(&world);
    return !counters.forwarded_packets || !waited || !counters.checks;
}

static atomic_bool ended;

static void *send_datagrams(void *argument)
{
    struct world *world = argument;
    uint8_t data[INPUT_BYTES];
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t length = sizeof own;
    uint8_t path[PATH_BYTES] = {0};
    uint16_t sequence = 0;
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, length) || getsockname(fd, (struct sockaddr *)&own, &length))
        abort();
    memcpy(path, &own, sizeof own);
    plane_set_path(world->plane, path, 0);
    while (!atomic_load(&ended)) {
        memset(data, 0, 200);
        data[0] = 0x80;
        data[1] = 99;
        put16(data + 2, ++sequence);
        put32(data + 4, sequence * 3000u);
        put32(data + 8, 1001);
        data[12] = 0x10;
        sendto(fd, data, 200, 0, (struct sockaddr *)&world->address, sizeof world->address);
        usleep(50);
    }
    close(fd);
    return NULL;
}

static int race(int seconds)
{
    struct world world;
    pthread_t sender;
    state = 1;
    open_world(&world);
    add_streams(&world, 0);
    plane_start(world.plane);
    pthread_create(&sender, NULL, send_datagrams, &world);
    time_t until = time(NULL) + seconds;
    struct timespec now;
    struct plane_counters counters = {0};
    while (time(NULL) < until) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        edit(&world, (double)now.tv_sec);
        plane_read_counters(world.plane, &counters);
        usleep(20);
    }
    atomic_store(&ended, true);
    pthread_join(sender, NULL);
    plane_stop(world.plane);
    plane_read_counters(world.plane, &counters);
    printf("%lu received, %lu forwarded\n", (unsigned long)counters.received_packets,
           (unsigned long)counters.forwarded_packets);
    close_world(&world);
    return counters.forwarded_packets == 0;
}

/* --- the thread's priority --------------------------------------------------------------------------------------- */

static void print_priority(void)
{
    printf("%d %d\n", sched_getscheduler(0) & ~SCHED_RESET_ON_FORK, getpriority(PRIO_PROCESS, 0));
}

/* Print the scheduling policy and the nice value at the start, and after each share of a core of `shares`. */
static int schedule(char **shares)
{
    struct schedule schedule;
    schedule_begin(&schedule, 0);
    print_priority();
    for (; *shares; shares++) {
        schedule_load(&schedule, atof(*shares));
        print_priority();
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count >= 2 && !strcmp(arguments[1], "schedule"))
        return schedule(arguments + 2);
    if (count == 4 && !strcmp(arguments[1], "fuzz"))
        return fuzz(strtoull(arguments[2], NULL, 10), strtol(arguments[3], NULL, 10));
    if (count == 3 && !strcmp(arguments[1], "race"))
        return race(atoi(arguments[2]));
    fputs("harness fuzz SEED INPUTS | race SECONDS | schedule SHARE...\n", stderr);
    return 2;
}
