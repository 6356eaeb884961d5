/* Which missing packets of a stream are asked for, and when: the rules of sfu/receiving/nack.py. */

#include <math.h>
#include <string.h>

#include "plane_internal.h"

enum { MAX_TRIES = 5, GRACE_PACKETS = 2, RESET_JUMP = 1000 };
static const double MIN_INTERVAL_S = 0.02, MAX_INTERVAL_S = 0.4, RTT_S = 0.07, BACKOFF = 1.25, GRACE_S = 0.02;

void nack_start(struct nacks *nacks)
{
    nacks->highest = nacks->early_from = -1;
    nacks->next_at = INFINITY;
    nacks->count = 0;
}

static void remove_missing(struct nacks *nacks, int i)
{
    nacks->count--;
    memmove(nacks->missing + i, nacks->missing + i + 1, sizeof *nacks->missing * (size_t)(nacks->count - i));
}

static void add_gap(struct nacks *nacks, int64_t first, int64_t end, double now)
{
    int64_t early_from = end + GRACE_PACKETS - 1;
    if (end - first > MAX_NACKS)
        first = end - MAX_NACKS;
    for (int64_t number = first; number < end; number++)
        nacks->missing[nacks->count++] = (struct missing){number, early_from, now + GRACE_S, 0};
    while (nacks->count > MAX_NACKS) /* the oldest are given up */
        remove_missing(nacks, 0);
    if (now + GRACE_S < nacks->next_at)
        nacks->next_at = now + GRACE_S;
    if (nacks->early_from < 0)
        nacks->early_from = early_from;
}

static void end_grace(struct nacks *nacks, int64_t highest, double now)
{
    nacks->early_from = -1;
    for (int i = 0; i < nacks->count; i++) {
        struct missing *missing = nacks->missing + i;
        if (missing->tries)
            continue;
        if (missing->early_from <= highest) {
            if (now < missing->at)
                missing->at = now;
            nacks->next_at = now;
        } else if (nacks->early_from < 0) {
            nacks->early_from = missing->early_from;
        }
    }
}

bool nack_received(struct nacks *nacks, int64_t number, double now)
{
    int64_t highest = nacks->highest;
    if (highest >= 0 && number == highest + 1) {
        nacks->highest = number;
    } else if (highest < 0 || number - highest > RESET_JUMP) {
        nack_start(nacks);
        nacks->highest = number;
    } else if (number > highest) {
        nacks->highest = number;
        add_gap(nacks, highest + 1, number, now);
    } else {
        for (int i = 0; i < nacks->count; i++)
            if (nacks->missing[i].number == number) {
                remove_missing(nacks, i);
                break;
            }
        return false;
    }
    if (nacks->early_from < 0)
        return false;
    if (number >= nacks->early_from)
        end_grace(nacks, number, now);
    return true;
}

int nack_due(struct nacks *nacks, double now, int64_t *numbers)
{
    int asked = 0;
    if (now < nacks->next_at)
        return 0;
    for (int i = 0; i < nacks->count;) {
        struct missing *missing = nacks->missing + i;
        if (missing->at <= now) {
            numbers[asked++] = missing->number;
            if (++missing->tries == MAX_TRIES) {
                remove_missing(nacks, i);
                continue;
            }
            double interval_s = RTT_S * pow(BACKOFF, missing->tries - 1);
            missing->at = now + fmin(fmax(interval_s, MIN_INTERVAL_S), MAX_INTERVAL_S);
        }
        i++;
    }
    nacks->next_at = INFINITY;
    for (int i = 0; i < nacks->count; i++)
        nacks->next_at = fmin(nacks->next_at, nacks->missing[i].at);
    return asked;
}

/* RFC 4585 section 6.2.1; `data` has room for 12 + 4 * count bytes */
uint32_t build_nack(uint32_t sender_ssrc, uint32_t media_ssrc, const int64_t *numbers, int count, uint8_t *data)
{
    uint32_t at = 12;
    uint32_t first = 0, mask = 0;
    bool open = false;
    for (int i = 0; i < count; i++) {
        uint32_t number = (uint32_t)numbers[i] & 0xFFFF, ahead = open ? (number - first) & 0xFFFF : 0xFFFF;
        if (ahead >= 1 && ahead <= 16) {
            mask |= 1u << (ahead - 1);
        } else if (ahead) {
            if (open)
                at += 4;
            first = number;
            mask = 0;
            open = true;
        }
        put16(data + at, first);
        put16(data + at + 2, mask);
    }
    if (open)
        at += 4;
    data[0] = 0x81;
    data[1] = 205;
    put16(data + 2, at / 4 - 1);
    put32(data + 4, sender_ssrc);
    put32(data + 8, media_ssrc);
    return at;
}
