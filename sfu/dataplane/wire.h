/* Reading packets: every read of packet memory goes through `octet` and its relatives, which know where it ends. */
#ifndef LECTERN_WIRE_H
#define LECTERN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    uint32_t size;
};

/* 0 outside of the bytes; the parsers check the lengths that matter to them. */
static inline uint32_t octet(struct bytes bytes, uint32_t at)
{
    return at < bytes.size ? bytes.data[at] : 0;
}

static inline uint32_t read16(struct bytes bytes, uint32_t at)
{
    return octet(bytes, at) << 8 | octet(bytes, at + 1);
}

static inline uint32_t read32(struct bytes bytes, uint32_t at)
{
    return read16(bytes, at) << 16 | read16(bytes, at + 2);
}

static inline struct bytes from(struct bytes bytes, uint32_t at)
{
    if (at > bytes.size)
        at = bytes.size;
    return (struct bytes){bytes.data + at, bytes.size - at};
}

/* Where an extension's data is in the packet; `size` 0: it is absent or empty. */
struct element {
    uint16_t at;
    uint8_t size;
    uint8_t kind;
};

enum { MAX_ELEMENTS = 8 };

struct header {
    uint32_t payload_at;
    uint32_t end; /* after the payload, without padding */
    int element_count;
    struct element elements[MAX_ELEMENTS];
};

/* Parse a packet's header (RFC 3550 section 5.1) and those elements of its extension (RFC 8285) that have a kind in
 * `kinds`, by id; false if it is malformed. `end` is the packet's end: see rtp_payload_end. */
bool rtp_header(struct bytes packet, const uint8_t kinds[256], struct header *header);
/* Set `end` to where the padding begins; false if that is impossible. */
bool rtp_payload_end(struct bytes packet, struct header *header);
const struct element *rtp_element(const struct header *header, int kind);
/* The dependency descriptor with its mandatory fields; NULL without them. */
const struct element *rtp_descriptor(const struct header *header);

/* What forwarding needs of a payload; sfu.wire.frames. Offsets are those in the payload, -1: absent. */
struct frame {
    int32_t picture_id_at, tl0picidx_at;
    uint16_t picture_id;
    uint16_t points; /* set of operating points that need it */
    uint8_t tl0picidx;
    uint8_t spatial, temporal;
    bool long_picture_id, starts, keyframe;
};

void read_frame(int codec, bool video, struct bytes payload, struct frame *frame);
/* The primary encoding of a RED payload (RFC 2198 section 3); false if it is malformed. */
bool red_primary(struct bytes payload, struct bytes *primary);
/* An RTCP packet that is one report of arrivals and nothing else. */
bool reports_arrivals_alone(struct bytes packet);
/* An RTCP packet with receiver reports (RFC 3550 section 6.4.2) and descriptions of their sources, and nothing else. */
bool reports_reception_alone(struct bytes packet);

#endif
