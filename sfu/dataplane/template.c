/* A packet rewritten once for each class of viewers: the rules of sfu/fanout/template.py. */

#include <string.h>

#include "plane_internal.h"

enum { HEADER_BYTES = 12, MAX_VALUES = EXTENSIONS };

struct value {
    uint8_t id, size;
    uint16_t at; /* in the packet; the transport-wide number is zero for now */
};

/* The extension block with its header (RFC 8285 sections 4.2 and 4.3); its length. The transport-wide number is its first
 * element, and the dependency descriptor the next. */
static uint32_t write_block(const struct template_class *class_, const struct parsed *parsed, uint8_t *data, struct template *template)
{
    struct value values[MAX_VALUES];
    int count = 0;
    uint8_t number_id = class_->extension_ids[EXTENSION_TRANSPORT_SEQUENCE];
    if (number_id)
        values[count++] = (struct value){number_id, 2, 0};
    const struct element *descriptor = rtp_descriptor(&parsed->header);
    uint8_t descriptor_id = descriptor ? class_->extension_ids[EXTENSION_DESCRIPTOR] : 0;
    if (descriptor_id)
        values[count++] = (struct value){descriptor_id, descriptor->size, descriptor->at};
    for (int i = 0; i < parsed->header.element_count && count < MAX_VALUES; i++) {
        const struct element *element = parsed->header.elements + i;
        bool placed = element->kind == EXTENSION_TRANSPORT_SEQUENCE || element->kind == EXTENSION_DESCRIPTOR;
        uint8_t id = placed ? 0 : class_->extension_ids[element->kind];
        if (id)
            values[count++] = (struct value){id, element->size, element->at};
    }
    template->transport_sequence_at = template->frame_number_at = -1;
    if (!count)
        return 0;
    bool one_byte = true;
    for (int i = 0; i < count; i++)
        one_byte = one_byte && values[i].id <= 14 && values[i].size >= 1 && values[i].size <= 16;
    uint32_t at = 4;
    for (int i = 0; i < count; i++) {
        if (one_byte) {
            data[at++] = (uint8_t)(values[i].id << 4 | (values[i].size - 1));
        } else {
            data[at++] = values[i].id;
            data[at++] = values[i].size;
        }
        if (i == 0 && number_id) {
            template->transport_sequence_at = (int32_t)(HEADER_BYTES + at);
            data[at] = data[at + 1] = 0;
        } else {
            if (descriptor_id && i == !!number_id) /* its frame number follows its first octet */
                template->frame_number_at = (int32_t)(HEADER_BYTES + at + 1);
            memcpy(data + at, from(parsed->packet, values[i].at).data, values[i].size);
        }
        at += values[i].size;
    }
    while (at % 4)
        data[at++] = 0;
    put16(data, one_byte ? 0xBEDE : 0x1000);
    put16(data + 2, at / 4 - 1);
    return at;
}

/* RED (RFC 2198): the kept redundancy as (offset, length, octets) each, then the primary encoding; its length. */
static uint32_t write_red(const struct parsed *parsed, struct bytes primary, int payload_type, uint8_t *data, uint32_t room)
{
    struct bytes blocks = parsed->redundancy;
    uint32_t at = 0, total = 1 + primary.size;
    for (uint32_t i = 0; i + 4 <= blocks.size; i += 4 + read16(blocks, i + 2))
        total += 4 + read16(blocks, i + 2);
    if (total > room)
        return 0;
    for (uint32_t i = 0; i + 4 <= blocks.size; i += 4 + read16(blocks, i + 2)) {
        uint32_t offset = read16(blocks, i), length = read16(blocks, i + 2);
        data[at] = (uint8_t)(0x80 | payload_type);
        put16(data + at + 1, offset << 2 | length >> 8);
        data[at + 3] = (uint8_t)length;
        at += 4;
    }
    data[at++] = (uint8_t)payload_type;
    for (uint32_t i = 0; i + 4 <= blocks.size; i += 4 + read16(blocks, i + 2)) {
        struct bytes block = from(blocks, i + 4);
        uint32_t length = read16(blocks, i + 2);
        if (length > block.size)
            return 0;
        memcpy(data + at, block.data, length);
        at += length;
    }
    memcpy(data + at, primary.data, primary.size);
    return at + primary.size;
}

bool make_template(const struct template_class *class_, const struct parsed *parsed, uint8_t *data, struct template *template)
{
    struct bytes payload = from(parsed->packet, parsed->header.payload_at);
    payload.size = parsed->header.end - parsed->header.payload_at;
    int payload_type = class_->payload_types[parsed->codec], opus = class_->payload_types[CODEC_OPUS], red = class_->payload_types[CODEC_RED];
    bool add_redundancy = false;
    if (payload_type < 0 || (parsed->codec == CODEC_RED && class_->redundancy != REDUNDANCY_AS_SENT)) {
        /* viewers that cannot decode RED, or have no bandwidth for it, get the primary encoding alone */
        if (parsed->codec != CODEC_RED || opus < 0 || !red_primary(payload, &payload))
            return false;
        payload_type = opus;
        add_redundancy = class_->redundancy == REDUNDANCY_DEEP && parsed->has_redundancy && red >= 0;
    } else {
        add_redundancy = parsed->has_redundancy && parsed->codec == CODEC_OPUS && red >= 0 && class_->redundancy != REDUNDANCY_NONE;
    }
    uint32_t block = write_block(class_, parsed, data + HEADER_BYTES, template), at = HEADER_BYTES + block;
    if (add_redundancy) {
        uint32_t length = write_red(parsed, payload, payload_type, data + at, MAX_PACKET_BYTES - at);
        if (!length)
            return false;
        payload_type = red;
        at += length;
    } else {
        if (at + payload.size > MAX_PACKET_BYTES)
            return false;
        memcpy(data + at, payload.data, payload.size);
        at += payload.size;
    }
    memset(data, 0, HEADER_BYTES);
    data[0] = block ? 0x90 : 0x80;
    data[1] = (uint8_t)((parsed->marker ? 0x80 : 0) | payload_type);
    int32_t shift = (int32_t)(HEADER_BYTES + block);
    const struct frame *frame = &parsed->frame;
    template->length = (int32_t)at;
    template->picture_id_at = frame->picture_id_at < 0 ? -1 : frame->picture_id_at + shift;
    template->tl0picidx_at = frame->tl0picidx_at < 0 ? -1 : frame->tl0picidx_at + shift;
    template->timestamp = parsed->timestamp;
    template->sequence = (uint16_t)parsed->sequence;
    template->picture_id = frame->picture_id;
    template->frame_number = parsed->frame_number;
    template->long_picture_id = frame->long_picture_id;
    template->tl0picidx = frame->tl0picidx;
    return true;
}

void write_stream_rows(struct plane *plane, const struct template_class *class_, const struct column *columns, int count,
                       const struct parsed *parsed, double now)
{
    uint8_t data[ARENA_STRIDE];
    struct template template;
    if (!count || !make_template(class_, parsed, data, &template))
        return;
    while (count) {
        if (plane->rows == ARENA_ROWS)
            flush_rows(plane, now);
        int room = ARENA_ROWS - plane->rows, part = count < room ? count : room;
        if (write_rows(&plane->outbox, plane->rows, columns, part, data, &template) == 0) {
            plane->rows += part;
            plane->counters.forwarded_packets += (uint64_t)part;
        }
        columns += part;
        count -= part;
    }
}
