/* Reports of arrivals from viewers (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). While a path shows no
 * limit, the control plane reads one in a second; of those between, the end says here whether that is still so. The rule is
 * that of Estimator.on_feedback in sfu/bandwidth/estimator.py. */

#include "plane_internal.h"

enum { NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA, RESERVED, REPORT_HEADER_BYTES = 12, REFERENCE_RANGE = 1 << 24 };
static const double REFERENCE_S = 0.064, TICK_S = 0.00025;

/* Read the status symbols of a report, given from its first number on; where its deltas begin, 0 if it is malformed. */
static uint32_t read_symbols(struct bytes report, uint8_t *symbols, uint32_t count)
{
    uint32_t at = 8, filled = 0;
    while (filled < count) {
        if (at + 2 > report.size)
            return 0;
        uint32_t chunk = read16(report, at), run = chunk & 0x1FFF;
        at += 2;
        if (chunk < 0x8000) {
            if (!run)
                return 0;
            for (; run && filled < count; run--)
                symbols[filled++] = (uint8_t)(chunk >> 13);
        } else {
            int bits = chunk < 0xC000 ? 1 : 2;
            for (int shift = 14 - bits; shift >= 0 && filled < count; shift -= bits)
                symbols[filled++] = (uint8_t)(chunk >> shift & (bits == 1 ? 1 : 3));
        }
    }
    return at;
}

/* The reference time in seconds; it has 24 bits, and lies near the one that the control plane read last. */
static double reference_s(struct bytes report, int64_t last)
{
    int64_t reference = read32(report, 4) >> 8, ahead = (reference - last) & (REFERENCE_RANGE - 1);
    if (ahead >= REFERENCE_RANGE / 2)
        ahead -= REFERENCE_RANGE;
    return (double)(last + ahead) * REFERENCE_S;
}

bool shows_no_limit(const struct outbox *outbox, int32_t transport, const struct sampling *sampling, struct bytes packet, int32_t *arrived)
{
    uint8_t symbols[LOG_SIZE];
    struct bytes report = from(packet, REPORT_HEADER_BYTES);
    uint32_t count = read16(report, 2), missing = 0, last = 0;
    /* libwebrtc pads its reports to whole words; the last octet counts the padding */
    bool padded = octet(packet, 0) & 0x20;
    uint32_t padding = padded ? octet(packet, packet.size - 1) : 0;
    *arrived = -1;
    if ((padded && !padding) || padding > report.size || !count || count > LOG_SIZE || transport >= outbox->logged_transports)
        return false;
    report.size -= padding;
    uint32_t at = read_symbols(report, symbols, count);
    int64_t ticks = 0;
    for (uint32_t i = 0; at && i < count; i++) {
        uint32_t delta = read16(report, at);
        if (symbols[i] == RESERVED || at + symbols[i] > report.size)
            return false;
        if (symbols[i] == NOT_RECEIVED)
            missing++;
        else
            last = i + 1;
        if (symbols[i] == SMALL_DELTA)
            ticks += delta >> 8;
        else if (symbols[i] == LARGE_DELTA)
            ticks += (int16_t)delta;
        at += symbols[i];
    }
    if (!at || !last)
        return false;
    *arrived = (int32_t)((read16(report, 0) + last - 1) & 0xFFFF);
    if (missing > sampling->loss * count)
        return false;
    uint32_t number = (uint32_t)*arrived & (LOG_SIZE - 1);
    double arrived_at = reference_s(report, sampling->reference) + (double)ticks * TICK_S;
    return arrived_at - outbox->sent_at[(size_t)transport * LOG_SIZE + number] <= sampling->delay_s;
}
