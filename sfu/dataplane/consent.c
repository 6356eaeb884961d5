/* Consent checks (RFC 7675): the STUN Binding requests by which a peer shows that it still wants what it is sent. A browser
 * that misses a few answers takes the connection for broken, so the plane answers them, and they do not wait for the
 * interpreter.
 *
 * Only what changes nothing is answered here: an authentic check with the peer's current credentials, by the path in use.
 * Other checks go up to sfu/session/ice.py, whose answers are the same byte for byte. */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "plane_internal.h"

enum { STUN_HEADER = 20, STUN_REQUEST = 0x0001, STUN_SUCCESS = 0x0101, STUN_COOKIE = 0x2112A442, STUN_LONGEST = 512 };
enum { USERNAME = 0x0006, MESSAGE_INTEGRITY = 0x0008, XOR_MAPPED_ADDRESS = 0x0020, PRIORITY = 0x0024, USE_CANDIDATE = 0x0025,
       FINGERPRINT = 0x8028, ICE_CONTROLLED = 0x8029 };
enum { DIGEST_BYTES = 20, BLOCK_BYTES = 64 };

/* sfu.session.ice.CHECKS */
static const double CHECKS_PER_S = 50, CHECKS_BURST = 100;

/* --- HMAC-SHA1 (FIPS 180-4 section 6.1, RFC 2104) and the CRC of FINGERPRINT (RFC 8489 section 14.7) --------------- */

static const uint32_t SHA1_START[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};

static uint32_t rotate(uint32_t value, int count)
{
    return value << count | value >> (32 - count);
}

static void sha1_block(uint32_t state[5], const uint8_t *block)
{
    static const uint32_t CONSTANTS[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (uint32_t i = 0; i < 16; i++)
        words[i] = read32((struct bytes){block, BLOCK_BYTES}, 4 * i);
    for (int i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t mixed = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t next = rotate(a, 5) + mixed + e + CONSTANTS[i / 20] + words[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/* Hash `data` after one block that `state` already has, and write the digest. */
static void sha1_finish(const uint32_t state[5], struct bytes data, uint8_t *digest)
{
    uint32_t sum[5], at = 0;
    uint8_t tail[2 * BLOCK_BYTES] = {0};
    memcpy(sum, state, sizeof sum);
    for (; data.size - at >= BLOCK_BYTES; at += BLOCK_BYTES)
        sha1_block(sum, data.data + at);
    uint32_t rest = data.size - at, size = rest + 9 > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES;
    memcpy(tail, data.data + at, rest);
    tail[rest] = 0x80;
    put32(tail + size - 4, 8 * (BLOCK_BYTES + data.size)); /* in bits; messages are shorter than 2^29 bytes */
    for (at = 0; at < size; at += BLOCK_BYTES)
        sha1_block(sum, tail + at);
    for (int i = 0; i < 5; i++)
        put32(digest + 4 * i, sum[i]);
}

static void set_key(uint32_t state[5], struct bytes key, uint8_t pad)
{
    uint8_t block[BLOCK_BYTES];
    for (uint32_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = (uint8_t)octet(key, i) ^ pad;
    memcpy(state, SHA1_START, sizeof SHA1_START);
    sha1_block(state, block);
}

static void sign(const struct consent *consent, struct bytes message, uint8_t *digest)
{
    uint8_t inner[DIGEST_BYTES];
    sha1_finish(consent->inner, message, inner);
    sha1_finish(consent->outer, (struct bytes){inner, sizeof inner}, digest);
}

static uint32_t fingerprint(struct bytes message)
{
    uint32_t crc = 0xFFFFFFFF;
    for (uint32_t i = 0; i < message.size; i++) {
        crc ^= octet(message, i);
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc ^ 0x5354554E;
}

/* --- checks ------------------------------------------------------------------------------------------------------ */

/* Find the signature of a check with this username; 0 if it is not such a check, or has what is unusual in one. */
static uint32_t find_signature(struct bytes datagram, const struct consent *consent)
{
    if (datagram.size < STUN_HEADER || datagram.size > STUN_LONGEST || read16(datagram, 0) != STUN_REQUEST ||
        read32(datagram, 4) != STUN_COOKIE || read16(datagram, 2) != datagram.size - STUN_HEADER)
        return 0;
    uint32_t signature = 0;
    bool named = false;
    for (uint32_t at = STUN_HEADER, next; at < datagram.size; at = next) {
        uint32_t kind = read16(datagram, at), size = read16(datagram, at + 2);
        next = at + 4 + ((size + 3) & ~3u);
        if (next > datagram.size)
            return 0;
        struct bytes value = {datagram.data + at + 4, size};
        if (signature) { /* only the fingerprint may follow */
            if (kind != FINGERPRINT || size != 4 || next != datagram.size ||
                read32(value, 0) != fingerprint((struct bytes){datagram.data, at}))
                return 0;
        } else if (kind == USERNAME) {
            named = !named && size > consent->ufrag_size && !memcmp(value.data, consent->ufrag, consent->ufrag_size) &&
                    octet(value, consent->ufrag_size) == ':';
            if (!named)
                return 0;
        } else if (kind == MESSAGE_INTEGRITY) {
            if (size != DIGEST_BYTES)
                return 0;
            signature = at;
        } else if (kind == FINGERPRINT || kind == ICE_CONTROLLED ||
                   (kind < 0x8000 && kind != PRIORITY && kind != USE_CANDIDATE)) {
            return 0;
        }
    }
    return named ? signature : 0;
}

static bool is_authentic(struct bytes datagram, uint32_t signature, const struct consent *consent)
{
    uint8_t message[STUN_LONGEST], digest[DIGEST_BYTES], difference = 0;
    memcpy(message, datagram.data, signature);
    put16(message + 2, signature + 4 + DIGEST_BYTES - STUN_HEADER); /* RFC 8489 section 14.5: as if it ended there */
    sign(consent, (struct bytes){message, signature}, digest);
    for (uint32_t i = 0; i < DIGEST_BYTES; i++)
        difference |= (uint8_t)(digest[i] ^ octet(datagram, signature + 4 + i));
    return !difference;
}

/* Write XOR-MAPPED-ADDRESS (RFC 8489 section 14.2) for the client's address of a path, and return its length. */
static uint32_t write_address(const uint8_t *path, const uint8_t *request, uint8_t *attribute)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    memcpy(&four, path, sizeof four);
    memcpy(&six, path, sizeof six);
    const uint8_t *address = (const uint8_t *)&six.sin6_addr, *cookie = request + 4; /* then the transaction id */
    uint32_t size = 16;
    if (six.sin6_family == AF_INET) {
        address = (const uint8_t *)&four.sin_addr;
        size = 4;
    } else if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
        address += 12;
        size = 4;
    }
    put16(attribute, XOR_MAPPED_ADDRESS);
    put16(attribute + 2, 4 + size);
    put16(attribute + 4, size == 4 ? 1 : 2);
    put16(attribute + 6, (uint32_t)ntohs(six.sin6_port) ^ STUN_COOKIE >> 16); /* at the same place in both */
    for (uint32_t i = 0; i < size; i++)
        attribute[8 + i] = address[i] ^ cookie[i];
    return 8 + size;
}

static void answer(struct plane *plane, const struct transport *transport, const uint8_t *request, const uint8_t *path)
{
    uint8_t reply[STUN_HEADER + 24 + 4 + DIGEST_BYTES + 8];
    memcpy(reply, request, STUN_HEADER);
    put16(reply, STUN_SUCCESS);
    uint32_t size = STUN_HEADER + write_address(path, request, reply + STUN_HEADER);
    put16(reply + 2, size + 4 + DIGEST_BYTES - STUN_HEADER);
    put16(reply + size, MESSAGE_INTEGRITY);
    put16(reply + size + 2, DIGEST_BYTES);
    sign(&transport->consent, (struct bytes){reply, size}, reply + size + 4);
    size += 4 + DIGEST_BYTES;
    put16(reply + 2, size + 8 - STUN_HEADER);
    put16(reply + size, FINGERPRINT);
    put16(reply + size + 2, 4);
    put32(reply + size + 4, fingerprint((struct bytes){reply, size}));
    struct iovec part = {reply, size + 8};
    struct msghdr message;
    address_message(&plane->outbox, transport->index, &message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    (void)!sendmsg(plane->outbox.fd, &message, MSG_DONTWAIT); /* the peer repeats what is lost */
}

bool answer_check(struct plane *plane, struct bytes datagram, const uint8_t *path, double now)
{
    struct transport *transport = find_transport(plane, find_path(plane, path));
    if (!transport)
        return false;
    struct consent *consent = &transport->consent;
    if (!consent->ufrag_size || memcmp(consent->path, path, PATH_BYTES))
        return false;
    uint32_t signature = find_signature(datagram, consent);
    if (!signature)
        return false;
    if (!take_tokens(&consent->budget, CHECKS_PER_S, CHECKS_BURST, 1, now) || !is_authentic(datagram, signature, consent)) {
        plane->counters.drops[DROP_STUN]++;
        return true;
    }
    consent->at = now;
    plane->counters.checks++;
    answer(plane, transport, datagram.data, path);
    return true;
}

/* --- for the control plane --------------------------------------------------------------------------------------- */

void consent_start(struct consent *consent)
{
    fill(&consent->budget, CHECKS_BURST);
    consent->at = -1;
}

void plane_answer_checks(struct plane *plane, int32_t index, const uint8_t *path, const uint8_t *ufrag, uint32_t ufrag_size,
                         const uint8_t *password, uint32_t password_size)
{
    if (ufrag_size > MAX_UFRAG || password_size > BLOCK_BYTES)
        ufrag_size = 0;
    plane_lock(plane);
    struct transport *transport = find_transport(plane, index);
    if (transport) {
        struct consent *consent = &transport->consent;
        memcpy(consent->path, path, PATH_BYTES);
        memcpy(consent->ufrag, ufrag, ufrag_size);
        consent->ufrag_size = ufrag_size;
        set_key(consent->inner, (struct bytes){password, password_size}, 0x36);
        set_key(consent->outer, (struct bytes){password, password_size}, 0x5C);
    }
    plane_unlock(plane);
}

double plane_consent_at(struct plane *plane, int32_t index)
{
    plane_lock(plane);
    const struct transport *transport = find_transport(plane, index);
    double at = transport ? transport->consent.at : -1;
    plane_unlock(plane);
    return at;
}
