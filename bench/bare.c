/* See bare.py. One thread forwards, another is the sender and all viewers, as in mesh/generator.c. */

#define _GNU_SOURCE
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bare.h"

enum { BATCH = 64, STRIDE = 1600, HEADER_BYTES = 12, TRAILER_BYTES = 16 };
static const double TICK_S = 250e-6, READ_INTERVAL_S = 1e-3;

typedef unsigned int (*srtp_function)(uintptr_t session, void *packet, int *length);

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void run_on(int core)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

static void *send_and_receive(void *argument)
{
    const struct load *load = argument;
    uint8_t packet[STRIDE] = {0x80, 96}, received[STRIDE];
    double now = clock_s(CLOCK_MONOTONIC), next = now + 0.1, read_at = now, tick = now;
    run_on(load->client_core);
    for (int sent = 0; sent < load->packets; ) {
        now = clock_s(CLOCK_MONOTONIC);
        for (; sent < load->packets && next <= now; sent++, next += 1 / load->rate) {
            int length = load->packet_bytes;
            packet[2] = (uint8_t)(sent >> 8);
            packet[3] = (uint8_t)sent;
            memset(packet + HEADER_BYTES, sent, (size_t)length - HEADER_BYTES);
            if (!((srtp_function)load->protect)(load->sender_session, packet, &length))
                send(load->sender, packet, (size_t)length, 0);
        }
        if (now >= read_at) {
            read_at = now + READ_INTERVAL_S;
            for (int i = 0; i < load->viewers; i++)
                while (recv(load->sockets[i], received, sizeof received, MSG_DONTWAIT) > 0)
                    ;
        }
        tick = fmax(tick + TICK_S, now);
        struct timespec until = {(time_t)tick, (long)(fmod(tick, 1) * 1e9)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    shutdown(load->server, SHUT_RD); /* ends the wait of the other thread */
    return NULL;
}

struct forwarder {
    uint8_t received[BATCH][STRIDE], rows[MOST_VIEWERS][STRIDE];
    struct mmsghdr incoming[BATCH], outgoing[MOST_VIEWERS];
    struct iovec parts[BATCH], row_parts[MOST_VIEWERS];
    struct sockaddr_in addresses[MOST_VIEWERS];
};

/* Write, protect and send one packet for all viewers; how many the kernel took. */
static int forward(const struct load *load, struct forwarder *forwarder, const uint8_t *packet, size_t size)
{
    int count = 0;
    for (int i = 0; i < load->viewers; i++) {
        int length = (int)size;
        memcpy(forwarder->rows[i], packet, size);
        forwarder->rows[i][11] = (uint8_t)i; /* an SSRC of the viewer's own */
        if (((srtp_function)load->protect)(load->sessions[i], forwarder->rows[i], &length))
            continue;
        forwarder->row_parts[count] = (struct iovec){forwarder->rows[i], (size_t)length};
        forwarder->outgoing[count].msg_hdr = (struct msghdr){.msg_name = forwarder->addresses + i,
                                                             .msg_namelen = sizeof *forwarder->addresses,
                                                             .msg_iov = forwarder->row_parts + count,
                                                             .msg_iovlen = 1};
        count++;
    }
    return sendmmsg(load->server, forwarder->outgoing, (unsigned int)count, MSG_DONTWAIT);
}

double bare_run(const struct load *load, int *sent)
{
    static struct forwarder forwarder;
    pthread_t client;
    double begun = -1;
    run_on(load->server_core);
    sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &(struct sched_param){1}); /* as the plane's, where it may */
    for (int i = 0; i < load->viewers; i++) {
        socklen_t length = sizeof forwarder.addresses[i];
        if (getsockname(load->sockets[i], (struct sockaddr *)(forwarder.addresses + i), &length))
            return -1;
    }
    for (int i = 0; i < BATCH; i++) {
        forwarder.parts[i] = (struct iovec){forwarder.received[i], STRIDE};
        forwarder.incoming[i].msg_hdr = (struct msghdr){.msg_iov = forwarder.parts + i, .msg_iovlen = 1};
    }
    if (pthread_create(&client, NULL, send_and_receive, (void *)load))
        return -1;
    *sent = 0;
    for (bool ended = false; !ended; ) {
        int count = recvmmsg(load->server, forwarder.incoming, BATCH, MSG_WAITFORONE, NULL);
        if (begun < 0)
            begun = clock_s(CLOCK_THREAD_CPUTIME_ID);
        ended = count < 1 || !forwarder.incoming[0].msg_len;
        for (int i = 0; i < count; i++) {
            int length = (int)forwarder.incoming[i].msg_len;
            if (length > HEADER_BYTES &&
                !((srtp_function)load->unprotect)(load->server_session, forwarder.received[i], &length)) {
                int taken = forward(load, &forwarder, forwarder.received[i], (size_t)length);
                *sent += taken > 0 ? taken : 0;
            }
        }
    }
    double spent = clock_s(CLOCK_THREAD_CPUTIME_ID) - begun;
    pthread_join(client, NULL);
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
    return spent;
}
