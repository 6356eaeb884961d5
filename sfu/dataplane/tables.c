/* The tables: transports, streams and rows, as the control plane edits them. */

#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

/* --- transports -------------------------------------------------------------------------------------------------- */

struct transport *find_transport(struct plane *plane, int32_t index)
{
    return index >= 0 && index < MAX_TRANSPORTS ? plane->transports[index] : NULL;
}

int plane_connect(struct plane *plane, int32_t index, uintptr_t inbound, uintptr_t outbound, uint32_t ssrc, const struct peer_limits *limits)
{
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport || index < 0 || index >= MAX_TRANSPORTS) {
        free(transport);
        return -1;
    }
    feedback_start(&transport->feedback);
    transport->index = index;
    transport->inbound = inbound;
    transport->ssrc = ssrc;
    transport->dormant = true;
    transport->limits = *limits;
    fill(&transport->packets, limits->packets_burst);
    fill(&transport->octets, limits->octets_burst);
    fill(&transport->rtcp, limits->rtcp_burst);
    consent_start(&transport->consent);
    plane_disconnect(plane, index);
    plane_lock(plane);
    plane->transports[index] = transport;
    plane->outbox.sessions[index] = outbound;
    if (index >= plane->transports_end)
        plane->transports_end = index + 1;
    plane_unlock(plane);
    return 0;
}

static void remove_stream(struct plane *plane, struct stream *stream)
{
    struct transport *transport = find_transport(plane, stream->transport);
    int left = 0;
    for (int i = 0; transport && i < transport->ssrc_count; i++)
        if (transport->ssrcs[i].stream != stream)
            transport->ssrcs[left++] = transport->ssrcs[i];
    if (transport)
        transport->ssrc_count = left;
    while (stream->bounded)
        remove_bounded(plane, stream->bounded);
    int slot = (int)(stream->uid % MAX_STREAMS);
    plane->streams[slot] = NULL;
    free_stream(stream);
}

void free_transport(struct plane *plane, struct transport *transport)
{
    drop_held(plane, transport);
    feedback_end(&transport->feedback);
    free(transport->ssrcs);
    free(transport);
}

void plane_disconnect(struct plane *plane, int32_t index)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (index >= 0 && index < MAX_TRANSPORTS)
        plane->outbox.sessions[index] = 0;
    if (transport) {
        while (transport->ssrc_count)
            remove_stream(plane, transport->ssrcs[0].stream);
        plane->transports[index] = NULL;
        free_transport(plane, transport);
    }
    plane_unlock(plane);
}

void plane_move(struct plane *plane, int32_t index, const uint8_t *path)
{
    plane_lock(plane);
    if (index >= 0 && index < MAX_TRANSPORTS)
        memcpy(plane->outbox.paths + PATH_BYTES * (size_t)index, path, PATH_BYTES);
    plane_unlock(plane);
}

void plane_sample_reports(struct plane *plane, int32_t index, const struct sampling *sampling)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->sampling = *sampling;
    plane_unlock(plane);
}

void plane_set_feedback(struct plane *plane, int32_t index, uint8_t extension_id, uint32_t media_ssrc)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        memset(transport->kinds, 0, sizeof transport->kinds);
        if (extension_id)
            transport->kinds[extension_id] = EXTENSION_TRANSPORT_SEQUENCE;
        transport->media_ssrc = media_ssrc;
    }
    plane_unlock(plane);
}

void plane_dormant(struct plane *plane, int32_t index)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->dormant = true;
    plane_unlock(plane);
}

void plane_close_second(struct plane *plane, int32_t index, struct excess *excess)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        *excess = transport->excess;
        transport->excess = (struct excess){0};
    } else {
        *excess = (struct excess){0};
    }
    plane_unlock(plane);
}

void plane_set_flooded(struct plane *plane, int32_t index, int flooded)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport)
        transport->flooded = flooded;
    plane_unlock(plane);
}

/* --- paths --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_path(const uint8_t *path)
{
    uint64_t hash = 0, word;
    for (size_t at = 0; at + sizeof word <= PATH_BYTES; at += sizeof word) {
        memcpy(&word, path + at, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

int32_t find_path(const struct plane *plane, const uint8_t *path)
{
    uint64_t mask = (uint64_t)plane->path_room - 1;
    for (uint64_t i = hash_path(path) & mask; plane->paths[i].transport != -1; i = (i + 1) & mask)
        if (!memcmp(plane->paths[i].bytes, path, PATH_BYTES))
            return plane->paths[i].transport;
    return -1;
}

static int set_path(struct plane *plane, const uint8_t *path, int32_t transport);

/* Make room for more paths, without those that were removed. */
static bool grow_paths(struct plane *plane)
{
    struct path *old = plane->paths;
    int old_room = plane->path_room, live = 0, room = 256;
    for (int i = 0; i < old_room; i++)
        live += old[i].transport >= 0;
    if (live > PATH_LIMIT)
        return false;
    while (room < 4 * live)
        room *= 2;
    struct path *paths = malloc(sizeof *paths * (size_t)room);
    if (!paths)
        return false;
    for (int i = 0; i < room; i++)
        paths[i].transport = -1;
    plane->paths = paths;
    plane->path_room = room;
    plane->path_count = 0;
    for (int i = 0; i < old_room; i++)
        if (old[i].transport >= 0)
            set_path(plane, old[i].bytes, old[i].transport);
    free(old);
    return true;
}

static int set_path(struct plane *plane, const uint8_t *path, int32_t transport)
{
    enum { REMOVED = -2 };
    if (2 * (plane->path_count + 1) > plane->path_room && !grow_paths(plane))
        return -1;
    uint64_t mask = (uint64_t)plane->path_room - 1, i = hash_path(path) & mask;
    while (plane->paths[i].transport != -1 && memcmp(plane->paths[i].bytes, path, PATH_BYTES))
        i = (i + 1) & mask;
    if (plane->paths[i].transport == -1) {
        if (transport < 0)
            return 0;
        plane->path_count++;
        memcpy(plane->paths[i].bytes, path, PATH_BYTES);
    }
    plane->paths[i].transport = transport < 0 ? REMOVED : transport;
    return 0;
}

int plane_set_path(struct plane *plane, const uint8_t *path, int32_t transport)
{
    plane_lock(plane);
    int done = set_path(plane, path, transport);
    plane_unlock(plane);
    return done;
}

/* --- streams ----------------------------------------------------------------------------------------------------- */

struct stream *find_stream(struct plane *plane, uint64_t uid)
{
    struct stream *stream = plane->streams[uid % MAX_STREAMS];
    return stream && stream->uid == uid ? stream : NULL;
}

const struct known_ssrc *find_ssrc(const struct transport *transport, uint32_t ssrc)
{
    for (int i = 0; i < transport->ssrc_count; i++)
        if (transport->ssrcs[i].ssrc == ssrc)
            return transport->ssrcs + i;
    return NULL;
}

static bool add_ssrc(struct transport *transport, uint32_t ssrc, struct stream *stream, bool retransmissions)
{
    if (transport->ssrc_count == SSRC_LIMIT || find_ssrc(transport, ssrc))
        return false;
    if (transport->ssrc_count == transport->ssrc_room) {
        int room = transport->ssrc_room ? 2 * transport->ssrc_room : 4;
        struct known_ssrc *ssrcs = realloc(transport->ssrcs, sizeof *ssrcs * (size_t)room);
        if (!ssrcs)
            return false;
        transport->ssrcs = ssrcs;
        transport->ssrc_room = room;
    }
    transport->ssrcs[transport->ssrc_count++] = (struct known_ssrc){ssrc, retransmissions, stream};
    return true;
}

uint64_t plane_add_stream(struct plane *plane, int32_t index, uint32_t ssrc, int video, int redundant, uint32_t clock_rate,
                          const struct section *section, double now)
{
    struct stream *stream = calloc(1, sizeof *stream);
    int size = video ? VIDEO_KEPT : AUDIO_KEPT;
    if (!stream || !(stream->kept = calloc((size_t)size, sizeof *stream->kept))) {
        free(stream);
        return 0;
    }
    stream->kept_mask = size - 1;
    stream->transport = index;
    stream->ssrc = ssrc;
    stream->clock_rate = clock_rate;
    stream->video = video;
    stream->redundant = redundant;
    stream->section = *section;
    stream->unwrapped = -1;
    nack_start(&stream->nacks);
    struct stream_state *state = &stream->state;
    state->highest = state->keyframe_sequence = -1;
    state->last_packet_at = state->seen_at[0] = now;
    for (int i = 1; i < SPATIAL_LAYERS; i++)
        state->seen_at[i] = -1;
    for (int i = 0; i < FRAMES_SHOWN; i++)
        state->frame_numbers[i] = -1;
    state->observed_at = -1;
    state->loudest = 127;
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    int slot = 1;
    while (slot < MAX_STREAMS && plane->streams[slot])
        slot++;
    if (!transport || slot == MAX_STREAMS || !add_ssrc(transport, ssrc, stream, false)) {
        plane_unlock(plane);
        free_stream(stream);
        return 0;
    }
    stream->uid = (uint64_t)slot + (uint64_t)MAX_STREAMS * ++plane->generations[slot];
    plane->streams[slot] = stream;
    plane_unlock(plane);
    return stream->uid;
}

const struct stream_state *plane_state(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    plane_unlock(plane);
    return stream ? &stream->state : NULL;
}

void plane_set_section(struct plane *plane, uint64_t uid, const struct section *section)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        stream->section = *section;
    plane_unlock(plane);
}

int plane_add_ssrc(struct plane *plane, int32_t index, uint32_t ssrc, uint64_t uid)
{
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    struct stream *stream = find_stream(plane, uid);
    bool done = transport && stream && add_ssrc(transport, ssrc, stream, true);
    plane_unlock(plane);
    return done ? 0 : -1;
}

void plane_remove_stream(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        remove_stream(plane, stream);
    plane_unlock(plane);
}

void plane_set_muted(struct plane *plane, uint64_t uid, int muted)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream && !stream->state.muted != !muted) {
        stream->state.muted = (uint8_t)muted;
        stream->unsent_from = newest_number(stream) + 1;
    }
    plane_unlock(plane);
}

void read_position(const struct stream *stream, struct position *position)
{
    const struct stream_state *state = &stream->state;
    *position = (struct position){state->highest, state->highest_timestamp, state->picture_id, state->frame_number, state->tl0picidx};
}

int64_t newest_number(const struct stream *stream)
{
    int64_t newest = stream->state.highest;
    while (find_kept(stream, newest + 1))
        newest++;
    return newest;
}

/* The position of what was sent to all rows; nothing else may be sent under its number. */
static void read_sent(const struct stream *stream, struct position *position)
{
    read_position(stream, position);
    position->sequence = newest_number(stream);
}

void plane_position(struct plane *plane, uint64_t uid, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        read_sent(stream, position);
    plane_unlock(plane);
}

void plane_set_copies(struct plane *plane, uint64_t uid, int copies, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream) {
        stream->state.copies = (uint8_t)copies;
        read_sent(stream, position);
    }
    plane_unlock(plane);
}

void plane_notify_next(struct plane *plane, uint64_t uid)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    if (stream)
        stream->notify_next = true;
    plane_unlock(plane);
}

int plane_take_level(struct plane *plane, uint64_t uid, double *values)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    bool any = stream && stream->state.observed_s > 0;
    if (any) {
        struct stream_state *state = &stream->state;
        values[0] = state->observed_at;
        values[1] = state->observed_s;
        values[2] = state->active_s;
        values[3] = state->loudest;
        state->observed_s = state->active_s = 0;
        state->loudest = 127;
    }
    plane_unlock(plane);
    return any;
}

int plane_stored(struct plane *plane, uint64_t uid, int64_t sequence, uint8_t *data, uint32_t size, struct stored *stored)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    const struct kept *kept = stream ? find_kept(stream, sequence) : NULL;
    int length = 0;
    if (kept) {
        uint32_t repeated = kept->redundancy == UINT16_MAX ? 0 : kept->redundancy;
        *stored = (struct stored){kept->redundancy, {kept->structure ? kept->structure->number : 0, kept->active}};
        if (kept->length + repeated <= size) {
            memcpy(data, kept->data, kept->length + repeated);
            length = kept->length;
        }
    }
    plane_unlock(plane);
    return length;
}

static const struct structure *find_structure(const struct stream *stream, uint32_t number)
{
    const struct structure *structure = stream->structure;
    for (int i = 0; (!structure || structure->number != number) && i <= stream->kept_mask; i++)
        structure = stream->kept[i].structure;
    return structure && structure->number == number ? structure : NULL;
}

int plane_structure(struct plane *plane, uint64_t uid, uint32_t number, uint8_t *data)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    const struct structure *structure = stream ? find_structure(stream, number) : NULL;
    int size = structure ? structure->size : 0;
    if (size)
        memcpy(data, structure->data, (size_t)size);
    plane_unlock(plane);
    return size;
}

int plane_keeps(struct plane *plane, uint64_t uid, int64_t first)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    int all = stream && stream->state.highest - first <= stream->kept_mask;
    for (int64_t i = first; all && i <= stream->state.highest; i++)
        all = find_kept(stream, i) != NULL;
    plane_unlock(plane);
    return all;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static struct group *find_group(struct stream *stream, const struct template_class *class_)
{
    for (int i = 0; i < stream->group_count; i++)
        if (!memcmp(&stream->groups[i].class_, class_, sizeof *class_))
            return stream->groups + i;
    struct group *groups = realloc(stream->groups, sizeof *groups * (size_t)(stream->group_count + 1));
    if (!groups)
        return NULL;
    stream->groups = groups;
    groups[stream->group_count] = (struct group){.class_ = *class_};
    return groups + stream->group_count++;
}

static bool add_row(struct group *group, const struct column *column)
{
    if (group->count == group->room) {
        int room = group->room ? 2 * group->room : 4;
        struct column *columns = realloc(group->columns, sizeof *columns * (size_t)room);
        if (!columns)
            return false;
        group->columns = columns;
        group->room = room;
    }
    group->columns[group->count++] = *column;
    return true;
}

int plane_join(struct plane *plane, uint64_t uid, const struct template_class *class_, const struct column *column,
               int64_t after, double now)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    struct group *group = stream ? find_group(stream, class_) : NULL;
    bool done = group && add_row(group, column);
    if (done) {
        int64_t first = after + 1;
        if (first < stream->state.highest - stream->kept_mask)
            first = stream->state.highest - stream->kept_mask;
        for (int64_t sequence = first; sequence <= stream->state.highest; sequence++) {
            struct parsed parsed;
            if (read_kept(stream, sequence, &parsed))
                write_stream_rows(plane, class_, column, 1, &parsed, now);
        }
        flush_rows(plane, now);
    }
    plane_unlock(plane);
    return done ? 0 : -1;
}

static void remove_row(struct stream *stream, struct group *group, int i)
{
    group->count--;
    group->columns[i] = group->columns[group->count];
    if (group->count)
        return;
    free(group->columns);
    *group = stream->groups[--stream->group_count];
}

int plane_leave(struct plane *plane, uint64_t uid, int32_t transport, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    bool found = false;
    for (int i = 0; stream && i < stream->group_count && !found; i++)
        for (int k = 0; k < stream->groups[i].count && !found; k++)
            if (stream->groups[i].columns[k].transport == transport) {
                remove_row(stream, stream->groups + i, k);
                found = true;
                break;
            }
    if (stream)
        read_sent(stream, position);
    struct bounded *row = stream && !found ? find_bounded(stream, transport) : NULL;
    if (row) {
        *position = row->sent;
        remove_bounded(plane, row);
    }
    plane_unlock(plane);
    return found || row ? 0 : -1;
}

int plane_read_rows(struct plane *plane, uint64_t uid, struct column *columns, int size)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    int count = 0;
    for (int i = 0; stream && i < stream->group_count; i++)
        for (int k = 0; k < stream->groups[i].count && count < size; k++)
            columns[count++] = stream->groups[i].columns[k];
    plane_unlock(plane);
    return count;
}
