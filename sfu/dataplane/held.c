/* Packets of SSRCs that are not known yet. The first goes up; the others wait here, in order, until the control plane has
 * added a stream for it or has not (plane_resume). They cost the interpreter nothing. */

#include <stdlib.h>
#include <string.h>

#include "plane_internal.h"

enum { MAX_HELD = 512 }; /* of a transport */

struct held {
    struct held *next;
    double at;
    uint32_t ssrc, length;
    uint8_t data[];
};

static struct unknown *find_unknown(struct transport *transport, uint32_t ssrc)
{
    for (int i = 0; i < transport->unknown_count; i++)
        if (transport->unknown[i].ssrc == ssrc)
            return transport->unknown + i;
    return NULL;
}

bool hold(struct plane *plane, struct transport *transport, uint32_t ssrc, struct bytes packet, double now)
{
    if (!find_unknown(transport, ssrc))
        return false;
    struct held *held = transport->held_count == MAX_HELD ? NULL : malloc(sizeof *held + packet.size);
    if (!held) {
        plane->counters.drops[DROP_PUNTS_FULL]++;
        return true;
    }
    *held = (struct held){.at = now, .ssrc = ssrc, .length = packet.size};
    memcpy(held->data, packet.data, packet.size);
    transport->held_count++;
    struct held **end = &transport->held;
    while (*end)
        end = &(*end)->next;
    *end = held;
    return true;
}

void punt_unknown(struct plane *plane, struct transport *transport, uint32_t ssrc, struct bytes packet, double now)
{
    uint64_t serial = punt(plane, PUNT_UNKNOWN_SSRC, 0, transport->index, 0, 0, now, NULL, packet);
    if (transport->unknown_count < MAX_UNKNOWN) { /* a peer with more SSRCs than that makes them up */
        transport->unknown[transport->unknown_count++] = (struct unknown){ssrc, serial};
        plane->unknown_count++;
    }
}

static struct held *take_held(struct transport *transport, uint32_t ssrc)
{
    struct held **at = &transport->held;
    while (*at && (*at)->ssrc != ssrc)
        at = &(*at)->next;
    struct held *held = *at;
    if (held) {
        *at = held->next;
        transport->held_count--;
    }
    return held;
}

/* Process what waited for an SSRC; if it is still unknown, its next packet goes up. */
static void release(struct plane *plane, struct transport *transport, uint32_t ssrc, double now)
{
    struct held *held;
    while ((held = take_held(transport, ssrc))) {
        struct bytes packet = {held->data, held->length};
        bool known = find_ssrc(transport, ssrc);
        if (known)
            on_rtp(plane, transport, packet, held->at, true);
        else
            punt_unknown(plane, transport, ssrc, packet, held->at);
        free(held);
        if (!known)
            return;
        flush_rows(plane, now); /* sent now, whenever it arrived: else the wait would count as a queue on the path */
    }
}

void plane_resume(struct plane *plane, uint64_t serial, double now)
{
    plane_lock(plane);
    for (int32_t i = 0; plane->unknown_count && i < plane->transports_end; i++) {
        struct transport *transport = plane->transports[i];
        for (int k = transport ? transport->unknown_count - 1 : -1; k >= 0; k--) {
            struct unknown unknown = transport->unknown[k];
            if (unknown.serial > serial)
                continue;
            transport->unknown[k] = transport->unknown[--transport->unknown_count];
            plane->unknown_count--;
            release(plane, transport, unknown.ssrc, now);
        }
    }
    plane_unlock(plane);
}

void drop_held(struct plane *plane, struct transport *transport)
{
    plane->unknown_count -= transport->unknown_count;
    while (transport->held) {
        struct held *held = transport->held;
        transport->held = held->next;
        free(held);
    }
}
