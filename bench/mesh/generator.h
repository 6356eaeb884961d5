/* The media of many clients of a mesh: one thread sends, receives and reports for all of them. cffi reads this file. */

struct track {
    uint32_t ssrc, clock_rate, payload_type, packet_bytes;
    uint32_t is_video;
    uint32_t burst;    /* packets back to back */
    double interval_s; /* from one burst to the next */
};

/* libsrtp's functions and the clients' contexts, as addresses. */
struct functions {
    uintptr_t protect, protect_rtcp, unprotect, unprotect_rtcp;
};

/* Since the last `generator_reset`. */
struct totals {
    uint64_t sent, late; /* packets, and those that were sent 5 ms late or later */
    uint64_t received, missing, duplicates;
    uint64_t sampled, wrong;
    uint64_t reports, keyframes;
    uint64_t streams; /* that have received packets */
    double busy_s;    /* CPU time of the thread */
    uint32_t latencies[100000]; /* sampled packets by latency, in units of 10 us; the last one also for longer ones */
};

struct generator;

/* Packets of other payload types than these (retransmissions, padding) are not counted. NULL without memory. */
struct generator *generator_new(int clients, const struct functions *functions, const uint8_t *payload_types, int count);
void generator_free(struct generator *generator);
/* A connected client: `consent` is a connectivity check that is repeated, `inbound` and `outbound` are its SRTP contexts,
 * `transport_cc_id` the id of the header extension in what it receives. False if there are too many. */
bool generator_add(struct generator *generator, int socket, uintptr_t inbound, uintptr_t outbound,
                   uint32_t transport_cc_id, const uint8_t *consent, uint32_t consent_bytes,
                   const struct track *tracks, int track_count);
/* Run for this long. False if the system refuses. */
bool generator_run(struct generator *generator, double seconds);
void generator_reset(struct generator *generator);
const struct totals *generator_totals(const struct generator *generator);
