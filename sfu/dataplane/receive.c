/* A datagram's way through the tables: limits, decryption, numbers, figures, history, rows. The rules are those of
 * sfu/engine/router.py and sfu/receiving, which the differential test compares packet by packet. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

enum { HEADER_BYTES = 12, AUTHENTICATION_FAILED = 7 /* libsrtp's srtp_err_status_auth_fail */ };

typedef unsigned int (*unprotect_function)(uintptr_t session, void *packet, int *length);

static void drop(struct plane *plane, int reason)
{
    plane->counters.drops[reason]++;
}

/* --- datagrams --------------------------------------------------------------------------------------------------- */

/* How long a report may wait for others, since a wake of the interpreter costs more than several reports: one that may show
 * a limit of the path, and one that shows none. */
static const double SOON_S = 0.005, LATER_S = 0.1;
/* While the path is calm, so often a report goes up that shows no limit. */
static const double FULL_INTERVAL_S = 1;

static void on_arrivals(struct plane *plane, struct transport *transport, struct bytes report, double now)
{
    struct sampling *sampling = &transport->sampling;
    int32_t arrived;
    bool calm = sampling->calm && shows_no_limit(&plane->outbox, transport->index, sampling, report, &arrived);
    if (calm && now < sampling->full_from)
        return;
    if (calm)
        sampling->full_from = now + FULL_INTERVAL_S; /* until the control plane has read this one */
    punt_later(plane, transport->index, now, report, calm ? LATER_S : SOON_S);
}

void on_datagram(struct plane *plane, uint8_t *data, uint32_t length, const uint8_t *path, double now)
{
    struct bytes datagram = {data, length};
    if (length < 1 || length > RECEIVE_STRIDE) {
        drop(plane, DROP_OVERSIZE);
        return;
    }
    uint32_t first = octet(datagram, 0);
    if (first < 128 || first > 191) {
        if (first == 0 && answer_check(plane, datagram, path, now))
            return;
        punt(plane, PUNT_DATAGRAM, 0, -1, 0, 0, now, path, datagram);
        return;
    }
    struct transport *transport = find_transport(plane, find_path(plane, path));
    if (!transport) {
        drop(plane, DROP_UNKNOWN_SOURCE);
        return;
    }
    if (length < HEADER_BYTES) {
        drop(plane, DROP_MALFORMED);
        return;
    }
    bool rtcp = octet(datagram, 1) >= 192 && octet(datagram, 1) <= 223;
    if (rtcp ? !may_send_rtcp(transport, length, now) : !may_send_rtp(transport, read32(datagram, 8), length, now)) {
        drop(plane, rtcp ? DROP_RTCP_RATE : DROP_RTP_RATE);
        return;
    }
    int plain = (int)length;
    unsigned int status = ((unprotect_function)(rtcp ? plane->unprotect_rtcp : plane->unprotect))(transport->inbound, data, &plain);
    if (status) {
        drop(plane, DROP_UNAUTHENTIC);
        transport->excess.forged += status == AUTHENTICATION_FAILED; /* a replay is the peer's own */
        return;
    }
    datagram.size = (uint32_t)plain;
    if (rtcp && plane->windows[transport->index])
        window_on_rtcp(plane, transport, datagram, now);
    if (rtcp && reports_arrivals_alone(datagram))
        on_arrivals(plane, transport, datagram, now);
    else if (rtcp && reports_reception_alone(datagram))
        punt_later(plane, transport->index, now, datagram, LATER_S);
    else if (rtcp)
        punt(plane, PUNT_RTCP, 0, transport->index, 0, 0, now, NULL, datagram);
    else
        on_rtp(plane, transport, datagram, now, false);
}

/* --- media ------------------------------------------------------------------------------------------------------- */

static void on_media(struct plane *plane, struct stream *stream, struct bytes packet, const struct header *header, double now);

/* RFC 4588 section 4: the original sequence number, then the original payload. */
static void on_retransmission(struct plane *plane, struct stream *stream, struct bytes packet, struct header *header, double now)
{
    uint8_t restored[MAX_PACKET_BYTES];
    if (!rtp_payload_end(packet, header)) {
        drop(plane, DROP_MALFORMED);
        return;
    }
    uint32_t start = header->payload_at, media = stream->section.media_by_rtx[octet(packet, 1) & 0x7F];
    if (header->end < start + 2 || media == 0xFF) {
        drop(plane, DROP_PADDING); /* senders probe the bandwidth with these */
        return;
    }
    /* the extension goes with it, the padding does not */
    memcpy(restored, packet.data, start);
    memcpy(restored + start, from(packet, start + 2).data, header->end - start - 2);
    restored[0] &= 0xDF;
    restored[1] = (uint8_t)((octet(packet, 1) & 0x80) | media);
    put16(restored + 2, read16(packet, start));
    put32(restored + 8, stream->ssrc);
    on_media(plane, stream, (struct bytes){restored, header->end - 2}, header, now);
}

void on_rtp(struct plane *plane, struct transport *transport, struct bytes packet, double now, bool injected)
{
    struct header header;
    if (!injected)
        plane->counters.received_packets++;
    if (packet.size > MAX_PACKET_BYTES) {
        drop(plane, DROP_OVERSIZE);
        return;
    }
    uint32_t ssrc = read32(packet, 8);
    const struct known_ssrc *known = find_ssrc(transport, ssrc);
    struct stream *stream = known ? known->stream : NULL;
    if (!rtp_header(packet, stream ? stream->section.extensions : transport->kinds, &header)) {
        drop(plane, DROP_MALFORMED);
        return;
    }
    const struct element *number = rtp_element(&header, EXTENSION_TRANSPORT_SEQUENCE);
    if (!injected && number && number->size >= 2 && feedback_received(&transport->feedback, read16(packet, number->at), now))
        plane->next_due = fmin(plane->next_due, transport->feedback.due_at);
    if (!injected && hold(plane, transport, ssrc, packet, now))
        return;
    if (!known) {
        punt_unknown(plane, transport, ssrc, packet, now);
        return;
    }
    if (transport->dormant) {
        transport->dormant = false;
        punt(plane, PUNT_RESUMED, 0, transport->index, 0, 0, now, NULL, (struct bytes){0});
    }
    if (known->retransmissions)
        on_retransmission(plane, stream, packet, &header, now);
    else
        on_media(plane, stream, packet, &header, now);
}

const struct kept *find_kept(const struct stream *stream, int64_t sequence)
{
    const struct kept *kept = stream->kept + (sequence & stream->kept_mask);
    return kept->data && kept->sequence == sequence ? kept : NULL;
}

/* A packet's dependency descriptor replaces what its payload says of its frame (sfu.wire.frames.read). */
static void describe(struct stream *stream, struct parsed *parsed)
{
    const struct element *element = rtp_descriptor(&parsed->header);
    if (!element)
        return;
    struct frame *frame = &parsed->frame;
    frame->spatial = frame->temporal = 0;
    frame->points = UINT16_MAX;
    frame->starts = frame->keyframe = false;
    parsed->frame_number = (uint16_t)read16(parsed->packet, element->at + 1u);
    struct bytes data = from(parsed->packet, element->at);
    data.size = element->size;
    struct structure fresh;
    struct described described;
    if (!read_descriptor(data, stream->structure, stream->active, &fresh, &described))
        return; /* without its keyframe, nobody can decode the frame, so it may go to everybody */
    if (!described.attached) {
        parsed->structure = structure_use(stream->structure);
    } else if ((parsed->structure = malloc(sizeof fresh))) {
        *parsed->structure = fresh;
        parsed->structure->users = 1;
        parsed->structure->number = ++stream->structures;
    } else {
        return;
    }
    parsed->active = described.active;
    frame->spatial = described.spatial;
    frame->temporal = described.temporal;
    frame->points = described.points;
    frame->starts = described.starts;
    frame->keyframe = described.starts && described.attached;
}

bool read_kept(const struct stream *stream, int64_t sequence, struct parsed *parsed)
{
    const struct kept *kept = find_kept(stream, sequence);
    if (!kept)
        return false;
    struct bytes packet = {kept->data, kept->length};
    if (!rtp_header(packet, stream->section.extensions, &parsed->header) || !rtp_payload_end(packet, &parsed->header))
        return false;
    parsed->packet = packet;
    parsed->sequence = sequence;
    parsed->timestamp = read32(packet, 4);
    parsed->marker = octet(packet, 1) & 0x80;
    parsed->codec = stream->section.codecs[octet(packet, 1) & 0x7F];
    parsed->has_redundancy = kept->redundancy != UINT16_MAX;
    parsed->redundancy = (struct bytes){kept->data + kept->length, parsed->has_redundancy ? kept->redundancy : 0};
    struct bytes payload = from(packet, parsed->header.payload_at);
    payload.size = parsed->header.end - parsed->header.payload_at;
    read_frame(parsed->codec, stream->video, payload, &parsed->frame);
    const struct element *descriptor = rtp_descriptor(&parsed->header);
    parsed->frame_number = descriptor ? (uint16_t)read16(packet, descriptor->at + 1u) : 0;
    return true;
}

/* The number of a packet among those that are forwarded (sfu.receiving.compactor); false if it is too old. */
static bool compact(const struct stream *stream, int64_t raw, int64_t *sequence)
{
    int low = 0, high = stream->dropped_count;
    if (stream->dropped_before && raw < stream->dropped[0])
        return false;
    while (low < high) {
        int middle = (low + high) / 2;
        if (stream->dropped[middle] < raw)
            low = middle + 1;
        else
            high = middle;
    }
    *sequence = raw - stream->dropped_before - low;
    return true;
}

static void leave_out(struct stream *stream, int64_t raw)
{
    stream->dropped[stream->dropped_count++] = raw;
    if (stream->dropped_count > DROPPED_KEPT) {
        stream->dropped_count -= DROPPED_KEPT / 2;
        stream->dropped_before += DROPPED_KEPT / 2;
        memmove(stream->dropped, stream->dropped + DROPPED_KEPT / 2, sizeof *stream->dropped * (size_t)stream->dropped_count);
    }
}

/* RFC 3550 appendices A.3 and A.8 (sfu.receiving.statistics) */
static void count_received(struct stream *stream, int64_t raw, uint32_t timestamp, double now)
{
    struct stream_state *state = &stream->state;
    state->received_packets++;
    if (state->received_packets == 1) {
        state->base_number = state->highest_number = raw;
    } else if (raw > state->highest_number) {
        state->highest_number = raw;
        /* in order alone: a retransmission's transit time says nothing of the network's jitter */
        double ticks = (now - stream->last_at) * stream->clock_rate - (int32_t)(timestamp - stream->last_timestamp);
        state->jitter += (fabs(ticks) - state->jitter) / 16;
    } else {
        if (raw < state->base_number)
            state->base_number = raw;
        return;
    }
    stream->last_at = now;
    stream->last_timestamp = timestamp;
}

/* What may repeat: earlier payloads, oldest first, as (offset, length, octets); the length (sfu.wire.red). */
static uint32_t collect_redundancy(struct stream *stream, int64_t sequence, uint32_t timestamp, uint32_t payload_size, uint8_t *data)
{
    enum { REDUNDANT_PACKETS = 2, MAX_OFFSET = (1 << 14) - 1, MAX_BLOCK = (1 << 10) - 1, MAX_OCTETS = 1000 };
    struct bytes blocks[REDUNDANT_PACKETS];
    uint32_t offsets[REDUNDANT_PACKETS], at = 0;
    int count = 0;
    int64_t room = MAX_OCTETS - (int64_t)payload_size;
    for (int64_t before = sequence - 1; before > sequence - 1 - REDUNDANT_PACKETS; before--) {
        bool known = false;
        for (int i = 0; i < stream->recent_count; i++)
            known |= stream->recent[i] == before;
        struct parsed parsed;
        if (!known || !read_kept(stream, before, &parsed))
            continue;
        struct bytes payload = from(parsed.packet, parsed.header.payload_at);
        payload.size = parsed.header.end - parsed.header.payload_at;
        if (parsed.codec == CODEC_RED && !red_primary(payload, &payload))
            continue;
        uint32_t offset = timestamp - parsed.timestamp;
        room -= payload.size;
        if (offset > MAX_OFFSET || payload.size > MAX_BLOCK || room < 0)
            break;
        blocks[count] = payload;
        offsets[count++] = offset;
    }
    for (int i = count - 1; i >= 0; i--) {
        put16(data + at, offsets[i]);
        put16(data + at + 2, blocks[i].size);
        memcpy(data + at + 4, blocks[i].data, blocks[i].size);
        at += 4 + blocks[i].size;
    }
    /* and this one may be repeated from now on */
    int kept = 0;
    for (int i = 0; i < stream->recent_count; i++)
        if (stream->recent[i] > sequence - 1 - REDUNDANT_PACKETS && stream->recent[i] != sequence)
            stream->recent[kept++] = stream->recent[i];
    if (kept == RECENT)
        memmove(stream->recent, stream->recent + 1, sizeof *stream->recent * (size_t)--kept);
    stream->recent[kept++] = sequence;
    stream->recent_count = kept;
    return at;
}

static void keep_nothing(struct kept *kept)
{
    free(kept->data);
    structure_drop(kept->structure);
}

/* Keep a packet, with the redundancy for it, unless its place has a newer one. */
static void keep(struct stream *stream, struct parsed *parsed)
{
    uint8_t redundancy[1100];
    uint32_t length = 0;
    struct bytes payload = from(parsed->packet, parsed->header.payload_at);
    payload.size = parsed->header.end - parsed->header.payload_at;
    bool repeats = stream->redundant && (parsed->codec == CODEC_OPUS || parsed->codec == CODEC_RED);
    if (repeats && parsed->codec == CODEC_RED)
        repeats = red_primary(payload, &payload);
    if (repeats)
        length = collect_redundancy(stream, parsed->sequence, parsed->timestamp, payload.size, redundancy);
    parsed->has_redundancy = repeats;
    struct kept *kept = stream->kept + (parsed->sequence & stream->kept_mask);
    if (kept->data && kept->sequence > parsed->sequence)
        return;
    uint8_t *data = malloc(parsed->packet.size + length);
    if (!data)
        return;
    keep_nothing(kept);
    memcpy(data, parsed->packet.data, parsed->packet.size);
    memcpy(data + parsed->packet.size, redundancy, length);
    *kept = (struct kept){
        .sequence = parsed->sequence,
        .data = data,
        .structure = structure_use(parsed->structure),
        .active = parsed->active,
        .length = (uint16_t)parsed->packet.size,
        .redundancy = repeats ? (uint16_t)length : UINT16_MAX,
    };
    parsed->redundancy = (struct bytes){data + parsed->packet.size, length};
}

static int find_set(struct stream_state *state, uint16_t points)
{
    int i = 0;
    while (i < state->set_count && state->point_sets[i] != points)
        i++;
    if (i < state->set_count)
        return i;
    if (state->set_count == POINT_SETS) /* a crafted stream: its further sets count as that of all points */
        return POINT_SETS - 1;
    state->point_sets[i] = state->set_count == POINT_SETS - 1 ? 0xFFFF : points;
    state->set_count++;
    return i;
}

static void keyframe_begins(struct plane *plane, struct stream *stream, const struct parsed *parsed, double now)
{
    struct stream_state *state = &stream->state;
    state->keyframe_sequence = parsed->sequence;
    state->retained_octets = 0;
    state->sets_since_keyframe = 0;
    stream->keyframe_open = true;
    stream->keyframe_timestamp = parsed->timestamp;
    punt(plane, PUNT_KEYFRAME, 0, stream->transport, stream->uid, parsed->sequence, now, NULL, (struct bytes){0});
}

/* Count a packet in the figures of the stream (sfu.receiving.inbound_stream.arrived). */
static void arrived(struct stream *stream, const struct parsed *parsed, bool late, double now)
{
    struct stream_state *state = &stream->state;
    const struct frame *frame = &parsed->frame;
    state->last_packet_at = state->seen_at[frame->spatial] = now;
    if (frame->temporal > state->max_temporal)
        state->max_temporal = frame->temporal;
    int set = find_set(state, frame->points);
    state->octets[set] += parsed->header.end;
    if (!late && parsed->timestamp != state->highest_timestamp)
        state->pictures[frame->temporal]++;
    if (late)
        return;
    state->highest = parsed->sequence;
    state->highest_timestamp = parsed->timestamp;
    state->picture_id = frame->picture_id;
    state->tl0picidx = frame->tl0picidx;
    state->frame_number = parsed->frame_number;
    if (parsed->structure) {
        structure_use(parsed->structure);
        structure_drop(stream->structure);
        stream->structure = parsed->structure;
        stream->active = parsed->active;
        if (frame->starts) {
            state->frame_numbers[parsed->frame_number % FRAMES_SHOWN] = parsed->frame_number;
            state->frame_points[parsed->frame_number % FRAMES_SHOWN] = frame->points;
        }
    }
    state->sets_since_keyframe |= 1ull << set;
}

/* RFC 6464 (sfu.receiving.speakers) */
static void observe_level(struct plane *plane, struct stream *stream, const struct parsed *parsed, double now)
{
    enum { ACTIVE_LEVEL = 35 };
    static const double FIRST_PACKET_S = 0.02, LONGEST_PACKET_S = 0.12;
    struct stream_state *state = &stream->state;
    const struct element *element = rtp_element(&parsed->header, EXTENSION_AUDIO_LEVEL);
    if (!element || !element->size)
        return;
    int level = (int)octet(parsed->packet, element->at) & 0x7F;
    if (state->observed_at < 0)
        state->observed_at = now - FIRST_PACKET_S;
    double lasted_s = fmin(now - state->observed_at, LONGEST_PACKET_S);
    if (state->observed_s <= 0)
        punt(plane, PUNT_LEVEL, 0, stream->transport, stream->uid, 0, now, NULL, (struct bytes){0});
    state->observed_at = now;
    state->observed_s += lasted_s;
    if (level <= ACTIVE_LEVEL) {
        state->active_s += lasted_s;
        if (level < state->loudest)
            state->loudest = level;
    }
}

static void forward(struct plane *plane, struct stream *stream, const struct parsed *parsed, bool late, double now)
{
    stream->state.forwarded_packets++;
    stream->state.forwarded_octets += parsed->header.end - parsed->header.payload_at;
    for (int i = 0; i < stream->group_count; i++) {
        struct group *group = stream->groups + i;
        if (!late) {
            write_stream_rows(plane, &group->class_, group->columns, group->count, parsed, now);
            continue;
        }
        for (int k = 0; k < group->count; k++) /* only for viewers whose part of the stream had begun before it */
            if (group->columns[k].first_sequence <= parsed->sequence)
                write_stream_rows(plane, &group->class_, group->columns + k, 1, parsed, now);
    }
    if (stream->bounded)
        window_forward(plane, stream, parsed, late, now);
}

/* A packet with a number and a payload: keep it, count it, forward it. */
static void on_parsed(struct plane *plane, struct stream *stream, struct parsed *parsed, bool late, double now)
{
    struct stream_state *state = &stream->state;
    keep(stream, parsed);
    if (!stream->started) {
        stream->started = true;
        punt(plane, PUNT_FIRST, (int)octet(parsed->packet, 1) & 0x7F, stream->transport, stream->uid, parsed->sequence, now, NULL, (struct bytes){0});
    }
    bool new_picture = parsed->timestamp != state->highest_timestamp;
    union {
        struct seen seen;
        uint8_t bytes[PATH_BYTES];
    } before_it = {0};
    if (state->muted) { /* nothing that is sent while muted is replayed later, or added as redundancy */
        state->keyframe_sequence = -1;
        stream->recent_count = 0;
        arrived(stream, parsed, late, now);
        drop(plane, DROP_MUTED);
        return;
    }
    if (!stream->video)
        observe_level(plane, stream, parsed, now);
    else if (!late && parsed->frame.keyframe)
        keyframe_begins(plane, stream, parsed, now);
    before_it.seen = (struct seen){
        .sets_since_keyframe = state->sets_since_keyframe,
        .in_force = {stream->structure ? stream->structure->number : 0, stream->active},
        .max_temporal = state->max_temporal,
    };
    read_position(stream, &before_it.seen.newest);
    arrived(stream, parsed, late, now);
    if (stream->keyframe_open && parsed->timestamp != stream->keyframe_timestamp) {
        state->keyframe_octets = state->retained_octets;
        stream->keyframe_open = false;
    }
    state->retained_octets += parsed->header.end;
    forward(plane, stream, parsed, late, now);
    if (stream->notify_next && !late) {
        stream->notify_next = false;
        punt(plane, PUNT_NEXT, 0, stream->transport, stream->uid, parsed->sequence, now, NULL, (struct bytes){0});
    }
    if (state->copies) {
        int flags = (late ? COPY_LATE : 0) | (!late && new_picture ? COPY_NEW_PICTURE : 0);
        punt(plane, PUNT_COPY, flags, stream->transport, stream->uid, parsed->sequence, now, before_it.bytes, parsed->packet);
    }
}

static void on_media(struct plane *plane, struct stream *stream, struct bytes packet, const struct header *header, double now)
{
    struct parsed parsed = {.packet = packet, .header = *header, .timestamp = read32(packet, 4)};
    int payload_type = (int)octet(packet, 1) & 0x7F;
    parsed.codec = stream->section.codecs[payload_type];
    parsed.marker = octet(packet, 1) & 0x80;
    if (!parsed.codec) {
        drop(plane, DROP_UNKNOWN_PAYLOAD_TYPE);
        return;
    }
    int64_t before = stream->unwrapped, raw;
    if (before < 0) {
        raw = stream->unwrapped = read16(packet, 2);
    } else {
        int64_t ahead = (read16(packet, 2) - before) & 0xFFFF;
        raw = ahead < 0x8000 ? before + ahead : before + ahead - 0x10000;
        if (raw > before)
            stream->unwrapped = raw;
    }
    bool late = before >= 0 && raw <= before;
    if (!compact(stream, raw, &parsed.sequence) || (late && find_kept(stream, parsed.sequence))) {
        drop(plane, DROP_DUPLICATE);
        return;
    }
    if (!rtp_payload_end(packet, &parsed.header)) {
        drop(plane, DROP_MALFORMED);
        return;
    }
    struct bytes payload = from(packet, header->payload_at);
    payload.size = parsed.header.end - header->payload_at;
    read_frame(parsed.codec, stream->video, payload, &parsed.frame);
    describe(stream, &parsed);
    if (nack_received(&stream->nacks, raw, now))
        plane->next_due = fmin(plane->next_due, stream->nacks.next_at);
    count_received(stream, raw, parsed.timestamp, now);
    if (payload.size) {
        on_parsed(plane, stream, &parsed, late, now);
    } else {
        if (!late)
            leave_out(stream, raw);
        drop(plane, DROP_PADDING);
    }
    structure_drop(parsed.structure);
}

void free_stream(struct stream *stream)
{
    for (int i = 0; i <= stream->kept_mask; i++)
        keep_nothing(stream->kept + i);
    for (int i = 0; i < stream->group_count; i++)
        free(stream->groups[i].columns);
    structure_drop(stream->structure);
    free(stream->groups);
    free(stream->kept);
    free(stream);
}
