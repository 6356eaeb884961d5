enum { MOST_VIEWERS = 250 };

struct load {
    int server, sender;     /* sockets; the sender's is connected to the server's */
    const int *sockets;     /* of the viewers */
    int viewers;
    double rate;            /* packets per second, evenly spaced */
    int packets, packet_bytes;
    int server_core, client_core;
    /* libsrtp */
    uintptr_t protect, unprotect, sender_session, server_session;
    const uintptr_t *sessions;
};

/* Forward all packets; the CPU time of the forwarding thread in seconds, -1 if the system refuses it. */
double bare_run(const struct load *load, int *sent);
