/* Writing and sending rows. What goes out is what sfu/fanout and sfu/shell/udp.py send without this, byte for byte;
 * tests/sfu/shell/test_kernel.py compares. Encryption, rollover counters and nonces stay libsrtp's: its sessions are
 * used through the address of its function, so that each has one owner. */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "plane_internal.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* The kernel takes 64 segments of at most 65,507 bytes together (UDP_MAX_SEGMENTS before Linux 6.9; UDP's length). */
enum { MAX_SEGMENTS = 64, MAX_DATAGRAM = 65507 };

/* A retransmission is two bytes longer than its packet, and libsrtp appends 16 at most without an MKI. */
enum { MAX_ROW_BYTES = ARENA_STRIDE - 16 };

typedef unsigned int (*protect_function)(void *session, void *packet, int *length);

static int fits(int32_t at, int32_t size, int32_t length)
{
    return at == -1 || (at >= 12 && at <= length - size);
}

static int is_transport(int32_t transport)
{
    return transport >= 0 && transport < MAX_TRANSPORTS;
}

int write_rows(struct outbox *outbox, int row, const struct column *columns, int count,
               const uint8_t *data, const struct template *template)
{
    int32_t length = template->length;
    if (row < 0 || count < 0 || row > ARENA_ROWS || count > ARENA_ROWS - row || length < 12 ||
        length > MAX_PACKET_BYTES || !fits(template->picture_id_at, template->long_picture_id ? 2 : 1, length) ||
        !fits(template->tl0picidx_at, 1, length) || !fits(template->frame_number_at, 2, length) ||
        !fits(template->transport_sequence_at, 2, length))
        return -1;
    for (int i = 0; i < count; i++)
        if (!is_transport(columns[i].transport))
            return -1;
    for (int i = 0; i < count; i++) {
        const struct column *column = columns + i;
        uint8_t *packet = outbox->rows + (size_t)ARENA_STRIDE * (size_t)(row + i);
        memcpy(packet, data, (size_t)length);
        put16(packet + 2, (uint32_t)template->sequence + column->sequence_offset);
        put32(packet + 4, template->timestamp + column->timestamp_offset);
        put32(packet + 8, column->ssrc);
        uint32_t picture_id = (uint32_t)template->picture_id + column->picture_id_offset;
        if (template->picture_id_at >= 0 && template->long_picture_id) /* RFC 7741 section 4.2: M bit, 15 bits */
            put16(packet + template->picture_id_at, 0x8000 | picture_id);
        else if (template->picture_id_at >= 0)
            packet[template->picture_id_at] = picture_id & 0x7F;
        if (template->tl0picidx_at >= 0)
            packet[template->tl0picidx_at] = (uint8_t)(template->tl0picidx + column->tl0picidx_offset);
        if (template->frame_number_at >= 0)
            put16(packet + template->frame_number_at, (uint32_t)template->frame_number + column->frame_number_offset);
        outbox->number_at[row + i] = template->transport_sequence_at;
        outbox->lengths[row + i] = length;
        outbox->transports[row + i] = column->transport;
    }
    return 0;
}

/* Give a row the next transport-wide number of its transport; the number, or -1 where it has none. */
static int32_t number_row(struct outbox *outbox, int32_t row)
{
    int32_t at = outbox->number_at[row], transport = outbox->transports[row];
    outbox->number_at[row] = -1;
    if (at < 12 || at > MAX_ROW_BYTES - 2 || outbox->lengths[row] < at + 2 || !is_transport(transport))
        return -1;
    uint16_t number = outbox->sequences[transport]++;
    put16(outbox->rows + (size_t)ARENA_STRIDE * (size_t)row + at, number);
    return number;
}

static void log_row(struct outbox *outbox, int32_t row, int32_t number, double now)
{
    int32_t transport = outbox->transports[row];
    if (number < 0 || transport >= outbox->logged_transports)
        return;
    size_t slot = (size_t)transport * LOG_SIZE + ((size_t)number & (LOG_SIZE - 1));
    outbox->sent_at[slot] = now;
    outbox->sent_sizes[slot] = (uint16_t)outbox->lengths[row];
    outbox->sent_numbers[slot] = (uint16_t)number;
}

/* Number, protect and log the rows, and link those of each transport: next_rows[i] is the transport's next row, first[i]
 * tells whether row i is its first. A row that could not be protected is in no list: it must not go out as plain text. */
static void protect_rows(struct outbox *outbox, int count, int32_t *next_rows, uint8_t *first, double now)
{
    protect_function protect = (protect_function)outbox->protect;
    outbox->not_protected = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t transport = outbox->transports[i];
        void *session = is_transport(transport) ? (void *)outbox->sessions[transport] : NULL;
        int32_t number = number_row(outbox, i);
        first[i] = 0;
        next_rows[i] = -1;
        if (!session || outbox->lengths[i] < 12 || outbox->lengths[i] > MAX_ROW_BYTES ||
            protect(session, outbox->rows + (size_t)ARENA_STRIDE * (size_t)i, outbox->lengths + i)) {
            outbox->lengths[i] = 0;
            outbox->not_protected++;
            log_row(outbox, i, number, now);
            continue;
        }
        log_row(outbox, i, number, now);
        /* last_rows is never cleared. An old entry that names an earlier row of this very transport cannot be: that
         * row would have replaced it. */
        int32_t last = outbox->last_rows[transport];
        if (last >= 0 && last < i && outbox->transports[last] == transport && outbox->lengths[last])
            next_rows[last] = i;
        else
            first[i] = 1;
        outbox->last_rows[transport] = i;
    }
}

void address_message(const struct outbox *outbox, int32_t transport, struct msghdr *message)
{
    uint8_t *path = outbox->paths + PATH_BYTES * (size_t)transport;
    size_t length; /* cmsghdr's own */
    memcpy(&length, path + CONTROL_AT, sizeof length);
    memset(message, 0, sizeof *message);
    message->msg_name = path;
    message->msg_namelen = outbox->address_bytes;
    if (length) {
        message->msg_control = path + CONTROL_AT;
        message->msg_controllen = outbox->control_bytes;
    }
}

struct batch {
    struct mmsghdr messages[ARENA_ROWS];
    struct iovec parts[ARENA_ROWS];
    /* cmsghdr is what wants the alignment */
    union {
        struct cmsghdr header;
        uint8_t bytes[PATH_BYTES - CONTROL_AT + CMSG_SPACE(sizeof(uint16_t))];
    } control[ARENA_ROWS];
    int used;
    int used_parts;
};

/* A message of one row has the control message of its path; one of a run needs that and the size of its segments. */
static void close_message(struct batch *batch)
{
    struct msghdr *message = &batch->messages[batch->used].msg_hdr;
    if (message->msg_iovlen > 1) {
        uint16_t size = (uint16_t)message->msg_iov[0].iov_len;
        uint8_t *control = batch->control[batch->used].bytes;
        size_t used = message->msg_controllen;
        if (used)
            memcpy(control, message->msg_control, used);
        memset(control + used, 0, CMSG_SPACE(sizeof size));
        message->msg_control = control;
        message->msg_controllen = used + CMSG_SPACE(sizeof size);
        struct cmsghdr *header = (struct cmsghdr *)(void *)(control + used);
        header->cmsg_level = IPPROTO_UDP;
        header->cmsg_type = UDP_SEGMENT;
        header->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(header), &size, sizeof size);
    }
    batch->used++;
}

/* One message for each run of a transport's rows that the kernel can cut apart again: equal sizes, the last shorter. */
static void add_transport(struct batch *batch, struct outbox *outbox, int32_t row, const int32_t *next_rows)
{
    struct msghdr *message = NULL;
    size_t size = 0, last = 0, total = 0;
    for (; row >= 0; row = next_rows[row]) {
        size_t length = (size_t)outbox->lengths[row];
        if (message && (!outbox->segments || last != size || length > size || total + length > MAX_DATAGRAM ||
                        message->msg_iovlen == MAX_SEGMENTS)) {
            close_message(batch);
            message = NULL;
        }
        if (!message) {
            message = &batch->messages[batch->used].msg_hdr;
            address_message(outbox, outbox->transports[row], message);
            message->msg_iov = batch->parts + batch->used_parts;
            size = length;
            total = 0;
        }
        batch->parts[batch->used_parts++] =
            (struct iovec){outbox->rows + (size_t)ARENA_STRIDE * (size_t)row, length};
        message->msg_iovlen++;
        total += last = length;
    }
    if (message)
        close_message(batch);
}

/* A run that the kernel would not cut (a path or device that cannot): each of its rows by itself. */
static int send_apart(struct outbox *outbox, const struct msghdr *run)
{
    int sent = 0;
    struct msghdr message = *run;
    message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t)); /* the size of its segments, which is the last */
    message.msg_iovlen = 1;
    for (size_t i = 0; i < run->msg_iovlen; i++) {
        message.msg_iov = run->msg_iov + i;
        if (sendmsg(outbox->fd, &message, MSG_DONTWAIT) >= 0)
            sent++;
    }
    return sent;
}

int protect_and_send(struct outbox *outbox, int count, double now)
{
    int32_t next_rows[ARENA_ROWS];
    uint8_t first[ARENA_ROWS];
    struct batch batch;
    if (count < 0 || count > ARENA_ROWS)
        return -1;
    protect_rows(outbox, count, next_rows, first, now);
    batch.used = batch.used_parts = 0;
    for (int32_t i = 0; i < count; i++)
        if (first[i])
            add_transport(&batch, outbox, i, next_rows);
    int at = 0, sent = 0;
    while (at < batch.used) {
        int done = sendmmsg(outbox->fd, batch.messages + at, (unsigned int)(batch.used - at), MSG_DONTWAIT);
        if (done > 0) {
            for (int end = at + done; at < end; at++)
                sent += (int)batch.messages[at].msg_hdr.msg_iovlen;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            break; /* the socket's buffer is full: the rest is lost, as on any full queue */
        } else if (errno != EINTR) {
            if (batch.messages[at].msg_hdr.msg_iovlen > 1) {
                if (errno == EIO) /* udp(7): the device cannot, and no later run will fare better */
                    outbox->segments = 0;
                sent += send_apart(outbox, &batch.messages[at].msg_hdr);
            }
            at++; /* one destination that is unreachable does not stop the others */
        }
    }
    return sent;
}
