/* What one peer may send (sfu.limits). */

#include <math.h>

#include "plane_internal.h"

void fill(struct bucket *bucket, double burst)
{
    *bucket = (struct bucket){burst, -INFINITY};
}

static double left(struct bucket *bucket, double per_s, double burst, double now)
{
    if (now > bucket->at) {
        bucket->left = fmin(burst, bucket->left + (now - bucket->at) * per_s);
        bucket->at = now;
    }
    return bucket->left;
}

bool take_tokens(struct bucket *bucket, double per_s, double burst, double cost, double now)
{
    if (left(bucket, per_s, burst, now) < cost)
        return false;
    bucket->left -= cost;
    return true;
}

static void exceeded(struct transport *transport, uint32_t ssrc)
{
    struct excess *excess = &transport->excess;
    excess->dropped++;
    int i = 0;
    while (i < excess->count && i < SSRC_LIMIT && excess->ssrcs[i] != ssrc)
        i++;
    if (i == excess->count) /* SSRCs that a peer makes up have the last entry together */
        excess->ssrcs[excess->count++] = i == SSRC_LIMIT ? 0 : ssrc;
    excess->packets[i]++;
}

bool may_send_rtp(struct transport *transport, uint32_t ssrc, uint32_t octets, double now)
{
    const struct peer_limits *limits = &transport->limits;
    bool floods = transport->flooded || transport->excess.dropped > limits->tolerated_excess;
    double price = floods ? limits->flood_price : 1;
    if (left(&transport->packets, limits->packets_per_s, limits->packets_burst, now) >= price &&
        take_tokens(&transport->octets, limits->octets_per_s, limits->octets_burst, octets, now)) {
        transport->excess.taken++;
        return take_tokens(&transport->packets, limits->packets_per_s, limits->packets_burst, price, now);
    }
    exceeded(transport, ssrc);
    return false;
}

bool may_send_rtcp(struct transport *transport, uint32_t octets, double now)
{
    const struct peer_limits *limits = &transport->limits;
    if (take_tokens(&transport->rtcp, limits->rtcp_per_s, limits->rtcp_burst, octets + limits->rtcp_datagram_octets, now)) {
        transport->excess.taken++;
        return true;
    }
    exceeded(transport, 0);
    return false;
}
