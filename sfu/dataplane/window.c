/* Slow start towards viewers of screens: what has not been confirmed by reports of arrivals is bounded, as RFC 5681 and, after
 * a pause, RFC 7661 bound it. A new slide is 20 to 60 packets in 50 ms. A link that has just become narrow would drop most of
 * them, and with them audio, before any report could show that.
 *
 * A bounded row is sent a packet only while fewer packets of its transport are unconfirmed than its window has. What waits is
 * not copied: the row has a cursor into the stream's history. The rule is that of sfu/fanout/window.py. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

enum { FIRST_WINDOW = 10, LARGEST_WINDOW = 4096 };
/* After so long without a burst that fills the first window, nothing is known of the path any more: a caret that blinks in
 * the meantime does not show what the path carries. */
static const double IDLE_S = 0.15;
/* Packets of a picture follow each other more closely. */
static const double PICTURE_GAP_S = 0.02;

/* --- the window -------------------------------------------------------------------------------------------------- */

/* Forget rows that have got their numbers, and return the next number. */
static uint16_t next_number(const struct plane *plane, struct window *window)
{
    uint16_t number = plane->outbox.sequences[window->transport];
    if (number != window->numbered) {
        window->numbered = number;
        window->written = 0;
    }
    return number;
}

static uint32_t unconfirmed(const struct plane *plane, struct window *window)
{
    return (uint16_t)(next_number(plane, window) - window->counted_from) + window->written;
}

static bool has_room(const struct plane *plane, struct window *window, double now)
{
    if (!window->started) {
        window->started = true;
        window->confirmed = window->counted_from = window->numbered = plane->outbox.sequences[window->transport];
    }
    if (window->due_at == INFINITY && now - window->busy_at > IDLE_S) {
        window->size = FIRST_WINDOW;
        if (now - window->asked_at > PICTURE_GAP_S)
            window->begun_at = (uint16_t)(next_number(plane, window) + window->written);
    }
    window->asked_at = now;
    return unconfirmed(plane, window) < window->size;
}

/* A report says that the packet of this number arrived; whether it confirms anything. */
static bool confirm(const struct plane *plane, struct window *window, uint16_t arrived, bool no_limit)
{
    uint16_t next = next_number(plane, window), following = (uint16_t)(arrived + 1);
    uint16_t confirmed = (uint16_t)(following - window->confirmed), since = (uint16_t)(following - window->begun_at);
    if (!window->started || !confirmed || confirmed > (uint16_t)(next - window->confirmed))
        return false; /* an old report, or one about packets that were never sent */
    window->confirmed = following;
    if ((uint16_t)(next - window->counted_from) > (uint16_t)(next - following))
        window->counted_from = following;
    /* what was sent before the picture does not show how the path takes the picture */
    if (no_limit && since <= (uint16_t)(next - window->begun_at))
        window->size += since < confirmed ? since : confirmed;
    if (window->size > LARGEST_WINDOW)
        window->size = LARGEST_WINDOW;
    return true;
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

/* A packet as it is written for a class, which consecutive rows share. */
struct prepared {
    const struct template_class *class_; /* NULL: nothing is prepared */
    bool made;
    struct template template;
    uint8_t data[ARENA_STRIDE];
};

static void send_row(struct plane *plane, struct bounded *row, const struct parsed *parsed, struct prepared *prepared, double now)
{
    struct window *window = row->window;
    if (!prepared->class_ || memcmp(prepared->class_, &row->class_, sizeof row->class_)) {
        prepared->class_ = &row->class_;
        prepared->made = make_template(&row->class_, parsed, prepared->data, &prepared->template);
    }
    if (!prepared->made)
        return;
    if (plane->rows == ARENA_ROWS)
        flush_rows(plane, now);
    if (write_rows(&plane->outbox, plane->rows, &row->column, 1, prepared->data, &prepared->template))
        return;
    plane->rows++;
    plane->counters.forwarded_packets++;
    next_number(plane, window);
    window->written += prepared->template.transport_sequence_at >= 0;
    if (now - window->burst_since > IDLE_S) {
        window->burst_since = now;
        window->burst = 0;
    }
    if (++window->burst >= FIRST_WINDOW)
        window->busy_at = now;
}

static void advance(struct plane *plane, struct bounded *row, const struct parsed *parsed, struct prepared *prepared, double now)
{
    send_row(plane, row, parsed, prepared, now);
    row->next = parsed->sequence + 1;
    row->sent = (struct position){parsed->sequence, parsed->timestamp, parsed->frame.picture_id, parsed->frame_number, parsed->frame.tl0picidx};
}

/* Skip what is no longer to be sent, or no longer kept; whether a packet waits. */
static bool waits(struct bounded *row)
{
    const struct stream *stream = row->stream;
    int64_t newest = newest_number(stream), oldest = stream->state.highest - stream->kept_mask;
    int64_t first = stream->state.muted ? newest + 1 : stream->unsent_from;
    if (first < oldest)
        first = oldest;
    if (row->next < first)
        row->next = first;
    return row->next <= newest;
}

/* Send from the history what the window admits, or everything. */
static void serve_row(struct plane *plane, struct bounded *row, bool all, double now)
{
    while (waits(row) && (all || has_room(plane, row->window, now))) {
        struct parsed parsed = {0};
        struct prepared prepared;
        prepared.class_ = NULL;
        if (read_kept(row->stream, row->next, &parsed))
            advance(plane, row, &parsed, &prepared, now);
        else /* lost, until it comes late */
            row->next++;
    }
}

/* Set the time until which reports are waited for, if anything waits. */
static void settle(struct plane *plane, struct window *window, double now)
{
    bool any = false;
    for (struct bounded *row = window->rows; row; row = row->in_window)
        any |= waits(row);
    if (any && window->due_at == INFINITY) {
        window->due_at = now + window->patience_s;
        plane->next_due = fmin(plane->next_due, window->due_at);
    } else if (!any && window->due_at < INFINITY) {
        window->due_at = INFINITY;
        window->busy_at = now;
    }
}

static void serve_window(struct plane *plane, struct window *window, double now)
{
    for (struct bounded *row = window->rows; row; row = row->in_window)
        serve_row(plane, row, false, now);
    settle(plane, window, now);
}

/* --- what happens ------------------------------------------------------------------------------------------------ */

void window_forward(struct plane *plane, struct stream *stream, const struct parsed *parsed, bool late, double now)
{
    struct prepared prepared;
    prepared.class_ = NULL;
    for (struct bounded *row = stream->bounded; row; row = row->in_stream) {
        if (late && parsed->sequence < row->next) {
            if (row->column.first_sequence <= parsed->sequence) /* its part of the stream had begun */
                send_row(plane, row, parsed, &prepared, now);
            continue;
        }
        waits(row);
        if (row->next == parsed->sequence && has_room(plane, row->window, now))
            advance(plane, row, parsed, &prepared, now);
        serve_row(plane, row, false, now);
        settle(plane, row->window, now);
    }
}

void window_on_rtcp(struct plane *plane, const struct transport *transport, struct bytes packet, double now)
{
    struct window *window = plane->windows[transport->index];
    bool any = false;
    while (packet.size >= 4) {
        struct bytes part = packet;
        part.size = 4 * (1 + read16(packet, 2));
        if (part.size > packet.size)
            break;
        int32_t arrived = -1;
        if (reports_arrivals_alone(part)) {
            bool no_limit = shows_no_limit(&plane->outbox, transport->index, &transport->sampling, part, &arrived);
            if (arrived >= 0 && confirm(plane, window, (uint16_t)arrived, no_limit))
                any = true;
        }
        packet = from(packet, part.size);
    }
    if (!any)
        return;
    if (window->due_at < INFINITY)
        window->due_at = now + window->patience_s;
    serve_window(plane, window, now);
}

double window_duties(struct plane *plane, double now)
{
    double due = INFINITY;
    for (int32_t i = 0; i < plane->windows_end; i++) {
        struct window *window = plane->windows[i];
        if (!window)
            continue;
        if (now >= window->due_at) {
            window->counted_from = next_number(plane, window);
            window->written = 0;
            window->due_at = now + window->patience_s;
            serve_window(plane, window, now);
        }
        due = fmin(due, window->due_at);
    }
    flush_rows(plane, now);
    return due;
}

/* --- what the control plane edits -------------------------------------------------------------------------------- */

static struct window *use_window(struct plane *plane, int32_t transport)
{
    struct window *window = plane->windows[transport];
    if (window || !(window = calloc(1, sizeof *window)))
        return window;
    window->transport = transport;
    window->size = FIRST_WINDOW;
    window->busy_at = window->burst_since = window->asked_at = -INFINITY;
    window->due_at = INFINITY;
    plane->windows[transport] = window;
    if (transport >= plane->windows_end)
        plane->windows_end = transport + 1;
    return window;
}

struct bounded *find_bounded(const struct stream *stream, int32_t transport)
{
    struct bounded *row = stream->bounded;
    while (row && row->column.transport != transport)
        row = row->in_stream;
    return row;
}

void remove_bounded(struct plane *plane, struct bounded *row)
{
    struct window *window = row->window;
    struct bounded **at = &row->stream->bounded;
    while (*at != row)
        at = &(*at)->in_stream;
    *at = row->in_stream;
    for (at = &window->rows; *at != row; at = &(*at)->in_window)
        ;
    *at = row->in_window;
    free(row);
    if (!window->rows) {
        plane->windows[window->transport] = NULL;
        free(window);
    }
}

int plane_join_bounded(struct plane *plane, uint64_t uid, const struct template_class *class_, const struct column *column,
                       const struct position *after, double patience_s, double now)
{
    struct bounded *row = malloc(sizeof *row);
    if (!row)
        return -1;
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    struct window *window = stream && column->transport >= 0 && column->transport < MAX_TRANSPORTS ? use_window(plane, column->transport) : NULL;
    if (!window) {
        plane_unlock(plane);
        free(row);
        return -1;
    }
    *row = (struct bounded){*class_, *column, after->sequence + 1, *after, stream, window, NULL, NULL};
    window->patience_s = patience_s;
    /* beside those of its class, which share the written packet; in the window, in the order of joining */
    struct bounded **at = &stream->bounded;
    while (*at && memcmp(&(*at)->class_, class_, sizeof *class_))
        at = &(*at)->in_stream;
    row->in_stream = *at;
    *at = row;
    for (at = &window->rows; *at; at = &(*at)->in_window)
        ;
    *at = row;
    serve_row(plane, row, false, now);
    settle(plane, window, now);
    flush_rows(plane, now);
    bool any = window->due_at < INFINITY;
    plane_unlock(plane);
    if (any)
        wake(plane);
    return 0;
}

int plane_release(struct plane *plane, uint64_t uid, int32_t transport, struct position *position, double now)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    struct bounded *row = stream ? find_bounded(stream, transport) : NULL;
    bool found = row;
    if (row) {
        serve_row(plane, row, true, now);
        *position = row->sent;
        remove_bounded(plane, row);
        flush_rows(plane, now);
    }
    plane_unlock(plane);
    return found ? 0 : -1;
}

int plane_bounded_position(struct plane *plane, uint64_t uid, int32_t transport, struct position *position)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    const struct bounded *row = stream ? find_bounded(stream, transport) : NULL;
    bool found = row;
    if (row)
        *position = row->sent;
    plane_unlock(plane);
    return found ? 0 : -1;
}

int plane_read_bounded_rows(struct plane *plane, uint64_t uid, struct bounded_row *rows, int size)
{
    plane_lock(plane);
    struct stream *stream = find_stream(plane, uid);
    int count = 0;
    for (struct bounded *row = stream ? stream->bounded : NULL; row && count < size; row = row->in_stream) {
        struct window *window = row->window;
        int64_t waiting = waits(row) ? newest_number(stream) + 1 - row->next : 0;
        uint32_t out = window->started ? unconfirmed(plane, window) : 0;
        rows[count++] = (struct bounded_row){row->column.ssrc, row->column.transport, row->next, waiting, out, window->size};
    }
    plane_unlock(plane);
    return count;
}
