/* Parsers of RTP headers and of the payload headers that forwarding needs: the same rules as sfu/wire/rtp.py,
 * codecs.py, frames.py and red.py, which the differential test compares. */

#include "plane_internal.h"

enum { HEADER_BYTES = 12, ONE_BYTE_PROFILE = 0xBEDE, TWO_BYTE_PROFILE = 0x1000 };

static void add_element(struct header *header, uint32_t at, uint32_t size, int kind)
{
    int i = 0;
    while (i < header->element_count && header->elements[i].kind != kind)
        i++;
    if (i == MAX_ELEMENTS)
        return;
    if (i == header->element_count)
        header->element_count++;
    header->elements[i] = (struct element){(uint16_t)at, (uint8_t)size, (uint8_t)kind};
}

static bool parse_elements(struct bytes packet, const uint8_t kinds[256], uint32_t at, bool one_byte, struct header *header)
{
    uint32_t end = header->payload_at;
    while (at < end) {
        uint32_t id = octet(packet, at), size;
        at++;
        if (!id)
            continue; /* padding between elements */
        if (one_byte) {
            size = (id & 0x0F) + 1;
            id >>= 4;
            if (id == 0 || id == 15) /* RFC 8285 section 4.2: these end the block */
                break;
        } else {
            if (at == end)
                return false;
            size = octet(packet, at);
            at++;
        }
        if (at + size > end)
            return false;
        if (kinds[id])
            add_element(header, at, size, kinds[id]);
        at += size;
    }
    return true;
}

bool rtp_header(struct bytes packet, const uint8_t kinds[256], struct header *header)
{
    header->element_count = 0;
    if (packet.size < HEADER_BYTES || octet(packet, 0) >> 6 != 2)
        return false;
    uint32_t at = HEADER_BYTES + 4 * (octet(packet, 0) & 0x0F), end = at;
    bool extended = octet(packet, 0) & 0x10;
    if (extended) {
        if (at + 4 > packet.size)
            return false;
        end = at + 4 + 4 * read16(packet, at + 2);
    }
    if (end > packet.size)
        return false;
    header->payload_at = end;
    header->end = packet.size;
    if (!extended)
        return true;
    uint32_t profile = read16(packet, at);
    if (profile == ONE_BYTE_PROFILE)
        return parse_elements(packet, kinds, at + 4, true, header);
    if ((profile & 0xFFF0) == TWO_BYTE_PROFILE)
        return parse_elements(packet, kinds, at + 4, false, header);
    return true;
}

bool rtp_payload_end(struct bytes packet, struct header *header)
{
    header->end = packet.size;
    if (!(octet(packet, 0) & 0x20))
        return true;
    uint32_t padding = octet(packet, packet.size - 1);
    if (!padding || packet.size < padding || packet.size - padding < header->payload_at)
        return false;
    header->end = packet.size - padding;
    return true;
}

const struct element *rtp_element(const struct header *header, int kind)
{
    for (int i = 0; i < header->element_count; i++)
        if (header->elements[i].kind == kind)
            return header->elements + i;
    return NULL;
}

const struct element *rtp_descriptor(const struct header *header)
{
    enum { MANDATORY_OCTETS = 3 };
    const struct element *element = rtp_element(header, EXTENSION_DESCRIPTOR);
    return element && element->size >= MANDATORY_OCTETS ? element : NULL;
}

/* --- sets of operating points (sfu.wire.operating_points) -------------------------------------------------------- */

enum { EVERY = 0xFFFF };

static uint16_t with_temporal(uint32_t temporal)
{
    return (uint16_t)((0xFu << (temporal > 3 ? 3 : temporal) & 0xFu) * 0x1111u);
}

static uint16_t with_spatial(uint32_t spatial, bool alone)
{
    uint32_t first = spatial > 3 ? 3 : spatial, last = alone ? first : 3, points = 0;
    for (uint32_t row = first; row <= last; row++)
        points |= 0xFu << 4 * row;
    return (uint16_t)points;
}

/* --- codecs ------------------------------------------------------------------------------------------------------ */

/* RFC 7741 section 4.2 */
static void read_vp8(struct bytes payload, struct frame *frame)
{
    frame->starts = frame->keyframe = false;
    frame->points = with_temporal(0);
    if (!payload.size)
        return;
    bool starts = (octet(payload, 0) & 0x17) == 0x10;
    if (!(octet(payload, 0) & 0x80)) {
        frame->starts = starts;
        frame->keyframe = starts && payload.size > 1 && !(octet(payload, 1) & 1);
        return;
    }
    if (payload.size < 2)
        return;
    uint32_t present = octet(payload, 1), at = 2, layer_at = 0;
    int32_t picture_id_at = -1, tl0picidx_at = -1;
    bool long_picture_id = false;
    if (present & 0x80) {
        if (at == payload.size)
            return;
        picture_id_at = (int32_t)at;
        long_picture_id = octet(payload, at) >= 0x80;
        at += long_picture_id ? 2 : 1;
    }
    if (present & 0x40)
        tl0picidx_at = (int32_t)at++;
    if (present & 0x30)
        layer_at = at++;
    if (at > payload.size)
        return;
    frame->picture_id_at = picture_id_at;
    frame->tl0picidx_at = tl0picidx_at;
    if (picture_id_at >= 0) {
        frame->long_picture_id = long_picture_id;
        frame->picture_id = (uint16_t)(long_picture_id ? read16(payload, (uint32_t)picture_id_at) & 0x7FFF
                                                       : octet(payload, (uint32_t)picture_id_at));
    }
    if (tl0picidx_at >= 0)
        frame->tl0picidx = (uint8_t)octet(payload, (uint32_t)tl0picidx_at);
    frame->temporal = present & 0x20 ? (uint8_t)(octet(payload, layer_at) >> 6) : 0;
    frame->points = with_temporal(frame->temporal);
    frame->starts = starts;
    frame->keyframe = starts && at < payload.size && !(octet(payload, at) & 1);
}

/* RFC 9628 section 4.2 */
static void read_vp9(struct bytes payload, struct frame *frame)
{
    frame->starts = false;
    if (!payload.size)
        return;
    uint32_t first = octet(payload, 0), at = 1, layers = 0;
    if (first & 0x80) {
        if (payload.size < 2)
            return;
        at += octet(payload, 1) & 0x80 ? 2 : 1;
    }
    if (at >= payload.size)
        return;
    if (first & 0x20)
        layers = octet(payload, at);
    uint32_t spatial = layers >> 1 & 7, temporal = layers >> 5;
    frame->spatial = (uint8_t)(spatial > 3 ? 3 : spatial);
    frame->temporal = (uint8_t)(temporal > 3 ? 3 : temporal);
    bool alone = first & 0x01 && first & 0x20;
    frame->points = with_spatial(spatial, alone) & with_temporal(temporal);
    frame->starts = first & 0x08;
    frame->keyframe = frame->starts && !spatial && !(first & 0x40);
}

/* RFC 6184: whether a sequence parameter set is in the packet */
static bool h264_starts(struct bytes payload)
{
    uint32_t kind = octet(payload, 0) & 0x1F;
    if (kind == 24) {
        for (uint32_t at = 1; at + 2 < payload.size; at += 2 + read16(payload, at))
            if ((octet(payload, at + 2) & 0x1F) == 7)
                return true;
        return false;
    }
    if (kind == 28)
        return payload.size > 1 && (octet(payload, 1) & 0x9F) == 0x87;
    return kind == 7 && payload.size > 1;
}

/* RFC 7798: whether a video parameter set is in the packet */
static bool h265_starts(struct bytes payload)
{
    if (payload.size < 3)
        return false;
    uint32_t kind = octet(payload, 0) >> 1 & 0x3F;
    if (kind == 48) {
        for (uint32_t at = 2; at + 2 < payload.size; at += 2 + read16(payload, at))
            if ((octet(payload, at + 2) >> 1 & 0x3F) == 32)
                return true;
        return false;
    }
    if (kind == 49)
        return (octet(payload, 2) & 0xBF) == (0x80 | 32);
    return kind == 32;
}

void read_frame(int codec, bool video, struct bytes payload, struct frame *frame)
{
    *frame = (struct frame){.picture_id_at = -1, .tl0picidx_at = -1, .points = EVERY, .long_picture_id = true, .starts = true};
    if (codec == CODEC_VP8) {
        read_vp8(payload, frame);
        return;
    }
    if (!video)
        return;
    if (codec == CODEC_VP9)
        read_vp9(payload, frame);
    else if (codec == CODEC_H264)
        frame->keyframe = h264_starts(payload);
    else if (codec == CODEC_H265)
        frame->keyframe = h265_starts(payload);
    else if (codec == CODEC_AV1)
        frame->keyframe = payload.size > 1 && (octet(payload, 0) & 0x88) == 0x08;
    else
        frame->keyframe = true;
}

bool red_primary(struct bytes payload, struct bytes *primary)
{
    uint32_t at = 0, skip = 0;
    while (at < payload.size && octet(payload, at) & 0x80) {
        if (at + 4 > payload.size)
            return false;
        skip += (octet(payload, at + 2) & 3) << 8 | octet(payload, at + 3);
        at += 4;
    }
    if (at + 1 + skip > payload.size)
        return false;
    *primary = from(payload, at + 1 + skip);
    return true;
}

bool reports_arrivals_alone(struct bytes packet)
{
    enum { TRANSPORT_FEEDBACK = 205, ARRIVALS = 15 };
    return octet(packet, 1) == TRANSPORT_FEEDBACK && (octet(packet, 0) & 0x1F) == ARRIVALS && packet.size == 4 * (1 + read16(packet, 2));
}

bool reports_reception_alone(struct bytes packet)
{
    enum { RECEIVER_REPORT = 201, SOURCE_DESCRIPTION = 202 };
    uint32_t at = 0;
    for (; at < packet.size; at += 4 * (1 + read16(packet, at + 2)))
        if (octet(packet, at + 1) != RECEIVER_REPORT && octet(packet, at + 1) != SOURCE_DESCRIPTION)
            return false;
    return at == packet.size;
}
