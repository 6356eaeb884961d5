/* Transport-wide feedback to publishers (draft-holmer-rmcat-transport-wide-cc-extensions-01): the rules of
 * sfu/receiving/feedback.py. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

enum {
    TICKS_PER_S = 4000,
    REFERENCE_TICKS = 256,
    NOT_RECEIVED = 0,
    SMALL_DELTA = 1,
    LARGE_DELTA = 2,
    LONGEST_RUN = 0x1FFF,
    ARRIVALS_PER_PACKET = 190,
    LONGEST_SPAN = 0x7FFF,
    MUCH = 10,
    REMEMBERED = 512,
    FRESH_ROOM = 2048,
    REPORTED_ROOM = 2 * REMEMBERED + FRESH_ROOM
};
static const double SHORT_INTERVAL_S = 0.05, LONG_INTERVAL_S = 0.1;

void feedback_start(struct feedback *feedback)
{
    *feedback = (struct feedback){.highest = -1, .following = -1, .due_at = INFINITY, .last_built_at = -INFINITY};
}

/* Most peers only listen: the room for arrivals is made with the first. */
static bool make_room(struct feedback *feedback)
{
    if (feedback->fresh)
        return true;
    struct arrival *room = malloc(sizeof *room * (FRESH_ROOM + REPORTED_ROOM));
    if (!room)
        return false;
    feedback->fresh = room;
    feedback->reported = room + FRESH_ROOM;
    return true;
}

void feedback_end(struct feedback *feedback)
{
    free(feedback->fresh); /* and `reported`, which lies behind it */
}

static bool contains(const struct arrival *arrivals, int count, int64_t number)
{
    for (int i = 0; i < count; i++)
        if (arrivals[i].number == number)
            return true;
    return false;
}

bool feedback_received(struct feedback *feedback, uint32_t number16, double now)
{
    int64_t highest = feedback->highest, number;
    if (highest < 0) {
        number = feedback->highest = number16;
    } else {
        int64_t ahead = (number16 - highest) & 0xFFFF;
        number = ahead < 0x8000 ? highest + ahead : highest + ahead - 0x10000;
        if (number > highest) {
            feedback->highest = number;
        } else if (number <= feedback->highest - REMEMBERED || contains(feedback->fresh, feedback->fresh_count, number) ||
                   contains(feedback->reported, feedback->reported_count, number)) {
            return false;
        }
    }
    if (feedback->fresh_count == FRESH_ROOM || !make_room(feedback))
        return false;
    feedback->fresh[feedback->fresh_count++] = (struct arrival){number, (int64_t)(now * TICKS_PER_S)};
    if (feedback->fresh_count == 1)
        feedback->due_at = fmax(now + SHORT_INTERVAL_S, feedback->last_built_at + LONG_INTERVAL_S);
    else if (feedback->fresh_count == MUCH)
        feedback->due_at = fmax(now, feedback->last_built_at + SHORT_INTERVAL_S);
    return feedback->fresh_count == 1 || feedback->fresh_count == MUCH;
}

static int by_number(const void *a, const void *b)
{
    int64_t left = ((const struct arrival *)a)->number, right = ((const struct arrival *)b)->number;
    return (left > right) - (left < right);
}

/* How many arrivals fit into one report that starts at `base`. */
static int fitting(int64_t base, const struct arrival *arrivals, int count)
{
    int64_t before = arrivals[0].ticks;
    for (int i = 0; i < count; i++) {
        int64_t delta = arrivals[i].ticks - before;
        /* section 3.1.5: a delta has 16 bits */
        if (i == ARRIVALS_PER_PACKET || arrivals[i].number - base > LONGEST_SPAN || delta < -0x8000 || delta >= 0x8000)
            return i;
        before = arrivals[i].ticks;
    }
    return count;
}

struct run {
    int symbol;
    int64_t length;
};

enum { MAX_RUNS = 2 * ARRIVALS_PER_PACKET + 2 };

static int add_run(struct run *runs, int count, int symbol, int64_t length)
{
    if (count && runs[count - 1].symbol == symbol) {
        runs[count - 1].length += length;
        return count;
    }
    runs[count] = (struct run){symbol, length};
    return count + 1;
}

/* The next symbols, 14 at most. */
static int next_symbols(const struct run *runs, int count, int *symbols)
{
    int found = 0;
    for (int i = 0; i < count && found < 14; i++)
        for (int64_t left = runs[i].length; left > 0 && found < 14; left--)
            symbols[found++] = runs[i].symbol;
    return found;
}

/* Packet chunks (sections 3.1.3 and 3.1.4): run lengths for long runs, vectors for short ones. */
static uint32_t write_chunks(struct run *runs, int count, uint8_t *data)
{
    uint32_t at = 0;
    int first = 0;
    while (first < count) {
        int symbols[14], found = next_symbols(runs + first, count - first, symbols);
        bool wide = false;
        for (int i = 0; i < found; i++)
            wide |= symbols[i] == LARGE_DELTA;
        if (wide && found > 7)
            found = 7;
        int64_t taken;
        uint32_t chunk;
        if (runs[first].length >= found) {
            taken = runs[first].length > LONGEST_RUN ? LONGEST_RUN : runs[first].length;
            chunk = (uint32_t)runs[first].symbol << 13 | (uint32_t)taken;
        } else {
            taken = found;
            uint32_t bits = 0;
            for (int i = 0; i < found; i++)
                bits = bits << (wide ? 2 : 1) | (uint32_t)symbols[i];
            int missing = (wide ? 7 : 14) - found;
            chunk = wide ? 0xC000 | bits << 2 * missing : 0x8000 | bits << missing;
        }
        put16(data + at, chunk);
        at += 2;
        while (taken) {
            int64_t part = runs[first].length < taken ? runs[first].length : taken;
            runs[first].length -= part;
            taken -= part;
            if (!runs[first].length)
                first++;
        }
    }
    return at;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Section 3.1; `data` has 1,500 bytes, of which this takes fewer than 1,200. */
static uint32_t encode(int64_t base, const struct arrival *arrivals, int count, uint32_t number, uint8_t *data)
{
    int64_t reference = floor_divide(arrivals[0].ticks, REFERENCE_TICKS), before = reference * REFERENCE_TICKS;
    int64_t following = base;
    struct run runs[MAX_RUNS];
    uint8_t deltas[2 * ARRIVALS_PER_PACKET];
    int run_count = 0;
    uint32_t delta_bytes = 0;
    for (int i = 0; i < count; i++) {
        if (arrivals[i].number > following)
            run_count = add_run(runs, run_count, NOT_RECEIVED, arrivals[i].number - following);
        following = arrivals[i].number + 1;
        int64_t delta = arrivals[i].ticks - before;
        before = arrivals[i].ticks;
        bool small = delta >= 0 && delta <= 0xFF;
        if (!small)
            deltas[delta_bytes++] = (uint8_t)(delta >> 8);
        deltas[delta_bytes++] = (uint8_t)delta;
        run_count = add_run(runs, run_count, small ? SMALL_DELTA : LARGE_DELTA, 1);
    }
    put16(data, (uint32_t)base & 0xFFFF);
    put16(data + 2, (uint32_t)(following - base));
    put32(data + 4, ((uint32_t)reference & 0xFFFFFF) << 8 | (number & 0xFF));
    uint32_t at = 8 + write_chunks(runs, run_count, data + 8);
    memcpy(data + at, deltas, delta_bytes);
    at += delta_bytes;
    while (at % 4)
        data[at++] = 0;
    return at;
}

void feedback_build(struct feedback *feedback, uint32_t sender_ssrc, uint32_t media_ssrc, double now,
                    void (*send)(void *context, const uint8_t *data, uint32_t length), void *context)
{
    if (!feedback->fresh_count)
        return;
    struct arrival arrivals[FRESH_ROOM + REPORTED_ROOM];
    int count = feedback->fresh_count, at = 0;
    memcpy(arrivals, feedback->fresh, sizeof *arrivals * (size_t)count);
    qsort(arrivals, (size_t)count, sizeof *arrivals, by_number);
    int64_t first = arrivals[0].number, base = first;
    if (feedback->following >= 0 && feedback->following < first)
        base = feedback->following;
    if (base != feedback->following) {
        for (int i = 0; i < feedback->reported_count; i++)
            if (feedback->reported[i].number > first)
                arrivals[count++] = feedback->reported[i];
        qsort(arrivals, (size_t)count, sizeof *arrivals, by_number);
    }
    while (at < count) {
        uint8_t data[1500];
        int taken = fitting(base, arrivals + at, count - at);
        if (!taken) { /* a gap that no report can hold: the next one begins after it */
            base = arrivals[at].number;
            continue;
        }
        uint32_t length = 12 + encode(base, arrivals + at, taken, feedback->count, data + 12);
        data[0] = 0x8F;
        data[1] = 205;
        put16(data + 2, length / 4 - 1);
        put32(data + 4, sender_ssrc);
        put32(data + 8, media_ssrc);
        send(context, data, length);
        feedback->count++;
        base = arrivals[at + taken - 1].number + 1;
        at += taken;
    }
    feedback->following = base;
    feedback->due_at = INFINITY;
    feedback->last_built_at = now;
    memcpy(feedback->reported + feedback->reported_count, feedback->fresh,
           sizeof *feedback->fresh * (size_t)feedback->fresh_count);
    feedback->reported_count += feedback->fresh_count;
    feedback->fresh_count = 0;
    if (feedback->reported_count > 2 * REMEMBERED) {
        int left = 0;
        for (int i = 0; i < feedback->reported_count; i++)
            if (feedback->reported[i].number >= base - REMEMBERED)
                feedback->reported[left++] = feedback->reported[i];
        feedback->reported_count = left;
    }
}
