/* Rows: written for a class of viewers, protected, sent. Read by the C compiler and by cffi, so plain declarations only. */

enum { ARENA_ROWS = 512, ARENA_STRIDE = 1600, MAX_PACKET_BYTES = 1456, MAX_TRANSPORTS = 65536, LOG_SIZE = 2048 };

/* A path (sfu/shell/udp.py): the client's raw sockaddr, and from CONTROL_AT on the control message that names the address
 * to send from; zeros where the kernel chooses it. */
enum { PATH_BYTES = 72, CONTROL_AT = 32 };

/* Of the sources, so that a module built from others is told. */
extern const char SOURCE_DIGEST[];

/* How one subscriber's row differs: sfu.fanout.row_buffer.COLUMN. */
struct column {
    int64_t first_sequence;
    uint32_t ssrc;
    uint32_t timestamp_offset;
    int32_t transport;
    uint16_t sequence_offset;
    uint16_t picture_id_offset;
    uint16_t frame_number_offset;
    uint8_t tl0picidx_offset;
};

/* A packet rewritten for a class of subscribers, and where in it their own values go; -1: nowhere. */
struct template {
    int32_t length;
    int32_t picture_id_at;
    int32_t tl0picidx_at;
    int32_t frame_number_at;
    int32_t transport_sequence_at;
    uint32_t timestamp;
    uint16_t sequence;
    uint16_t picture_id;
    uint16_t frame_number;
    uint8_t long_picture_id;
    uint8_t tl0picidx;
};

struct outbox {
    /* the arena: packets, their lengths, the transport of each */
    uint8_t *rows;
    int32_t *lengths;
    int32_t *transports;
    /* where in a row its transport-wide number goes, which it gets when it is sent; -1: nowhere */
    int32_t *number_at;
    /* by transport: paths, next transport-wide number, libsrtp's session, room for work */
    uint8_t *paths;
    uint16_t *sequences;
    uintptr_t *sessions;
    int32_t *last_rows;
    /* what went out under transport-wide numbers (sfu.fanout.sentlog): LOG_SIZE slots for each of so many transports */
    double *sent_at;
    uint16_t *sent_sizes;
    uint16_t *sent_numbers;
    int32_t logged_transports;
    /* libsrtp's srtp_protect */
    uintptr_t protect;
    int fd;
    /* of the sockaddr and of the control message in a path */
    uint32_t address_bytes;
    uint32_t control_bytes;
    /* of the interface's index in a path */
    uint32_t interface_at;
    /* whether the kernel cuts a datagram into equal ones (UDP_SEGMENT); cleared when it refuses */
    int segments;
    /* of the last protect_and_send: rows that libsrtp refused, or that have no session */
    int not_protected;
};

/* Write `count` rows from `row` on; 0, or -1 when something lies outside of its bounds and nothing was written. */
int write_rows(struct outbox *outbox, int row, const struct column *columns, int count,
               const uint8_t *data, const struct template *template);

/* Protect the first `count` rows and send those that were; the number of rows that the kernel took, -1 for a count
 * out of bounds. The length of a row that was not protected becomes 0. Rows that have a transport-wide number get it
 * here, and are logged as sent at `now` (seconds). */
int protect_and_send(struct outbox *outbox, int count, double now);
